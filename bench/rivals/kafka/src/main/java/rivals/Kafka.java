package rivals;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.metrics.internals.PluginMetricsImpl;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.metadata.authorizer.StandardAcl;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;

/**
 * Measures Kafka's StandardAuthorizer, the one that its brokers have in KRaft mode.
 *
 * <p>A token is a principal, a rule of its one access control list entry for a topic named
 * BASIN/STREAM, prefixed or literal. Entries are loaded as one snapshot, as when a broker starts.
 * Principals, contexts and actions are there before the clock starts; nothing is logged; but for
 * one case the authorizer does not count its answers, which it does in a broker. One action is
 * asked about at a time.
 *
 * <p>Each case runs for some seconds before anything is measured, so that the compiler is done; the
 * serial collector, which costs a single thread the least, has a heap that is large and touched.
 */
public final class Kafka {
    private static final long WARM_AT_FIRST = 2_000_000_000L;
    private static final long WARM = 20_000_000L;
    private static final long MEASURED = 100_000_000L;

    private final Workload workload;
    private final Map<String, Connection> connections = new HashMap<>();
    private final List<Case> cases = new ArrayList<>();

    private Kafka(Path directory) {
        workload = new Workload(directory);
    }

    private static String resource(String basin, String stream) {
        return basin + "/" + stream;
    }

    private static StandardAcl entry(Workload.Rule rule, PatternType pattern) {
        return new StandardAcl(ResourceType.TOPIC, resource(rule.basin(), rule.streamPrefix()),
            pattern, KafkaPrincipal.USER_TYPE + ":" + rule.id(), "*", AclOperation.ALL,
            AclPermissionType.ALLOW);
    }

    private StandardAuthorizer authorizer(String set, PatternType pattern, PluginMetrics metrics) {
        StandardAuthorizer authorizer = new StandardAuthorizer();
        Map<StandardAcl, Uuid> entries = new LinkedHashMap<>();
        Map<Uuid, StandardAcl> snapshot = new LinkedHashMap<>();
        for (Workload.Rule rule : workload.rules(set)) {
            entries.computeIfAbsent(entry(rule, pattern), absent -> Uuid.randomUuid());
        }
        entries.forEach((entry, uuid) -> snapshot.put(uuid, entry));
        authorizer.configure(Map.of());
        authorizer.withPluginMetrics(metrics);
        authorizer.loadSnapshot(snapshot);
        authorizer.completeInitialLoad();
        return authorizer;
    }

    private Connection connection(String id) {
        return connections.computeIfAbsent(id, Connection::of);
    }

    private void add(StandardAuthorizer authorizer, String name, String what) {
        Case added = new Case(name, what + ", prefixed", "basins are exact, streams a prefix",
            authorizer);
        for (Workload.Request request : workload.requests(name)) {
            added.add(connection(request.id()), resource(request.basin(), request.stream()),
                request.allowed());
        }
        cases.add(added);
    }

    /** Literal entries have no names beneath them: each is asked about itself, or with a letter more. */
    private void addLiteral(StandardAuthorizer authorizer, String set, String name, String what) {
        Map<String, Workload.Rule> rules = new HashMap<>();
        Case added = new Case(name, what + ", literal", "names are exact", authorizer);
        workload.rules(set).forEach(rule -> rules.put(rule.id(), rule));
        for (Workload.Request request : workload.requests(name)) {
            Workload.Rule rule = rules.get(request.id());
            String resource = resource(rule.basin(), rule.streamPrefix());
            added.add(connection(request.id()),
                request.allowed() ? resource : resource + "~", request.allowed());
        }
        cases.add(added);
    }

    private void addAll() {
        StandardAuthorizer few = authorizer("users_1000", PatternType.PREFIXED, new Uncounted());
        StandardAuthorizer many = authorizer("users_1000000", PatternType.PREFIXED, new Uncounted());
        StandardAuthorizer literal = authorizer("users_1000000", PatternType.LITERAL, new Uncounted());
        add(few, "users_1000", "1000 principals of one entry");
        add(many, "users_1000000_hot", "1000000 principals of one entry, 512 asked about");
        add(many, "users_1000000_cold", "1000000 principals of one entry, all asked about");
        addLiteral(literal, "users_1000000", "users_1000000_hot",
            "1000000 principals of one entry, 512 asked about");
        addLiteral(literal, "users_1000000", "users_1000000_cold",
            "1000000 principals of one entry, all asked about");
        for (int size : new int[] {1, 10, 100, 1000, 10000}) {
            String name = "broker_" + size;
            add(authorizer(name, PatternType.PREFIXED, new Uncounted()), name,
                "one principal of " + size + (size == 1 ? " entry" : " entries"));
        }
        add(authorizer("broker_1", PatternType.PREFIXED,
            new PluginMetricsImpl(new Metrics(), Map.of())), "broker_1",
            "one principal of 1 entry, answers counted as in a broker");
    }

    private static String version() throws IOException {
        Properties properties = new Properties();
        try (InputStream file = Kafka.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            properties.load(file);
        }
        return properties.getProperty("version");
    }

    private void announce() throws IOException {
        System.out.println("rival\tKafka StandardAuthorizer " + version());
        for (Case each : cases) {
            System.out.println(
                String.join("\t", "case", each.workload, "id", each.name, each.note));
        }
        System.out.println("ready");
    }

    private static void measure(Case measured) {
        double nanoseconds = measured.askFor(WARM);
        if (nanoseconds >= 0) {
            nanoseconds = measured.askFor(MEASURED);
        }
        System.out.println(nanoseconds < 0 ? "wrong: " + measured.name
            : String.format(Locale.ROOT, "%.3f", nanoseconds));
    }

    public static void main(String[] arguments) throws IOException {
        Kafka kafka = new Kafka(Path.of(arguments[0]));
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        kafka.addAll();
        kafka.cases.forEach(each -> each.askFor(WARM_AT_FIRST));
        System.gc();
        kafka.announce();
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            measure(kafka.cases.get(Integer.parseInt(order)));
        }
    }
}
