package rivals;

import java.util.ArrayList;
import java.util.List;

import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;

/** Something to measure: questions for an authorizer, and what is known of them. */
final class Case {
    /** Requests that are timed together, having been touched. */
    private static final int CHUNK = 128;

    private static int touched;

    /** Who wants to read what, and whether they may. */
    private record Question(AuthorizableRequestContext context, String resource, boolean allowed) {
    }

    /** The actions of the chunk. */
    private static final List<List<Action>> STAGED = new ArrayList<>();

    final String workload;
    final String name;
    final String note;
    private final StandardAuthorizer authorizer;
    private final List<Question> questions = new ArrayList<>();
    private int next;

    Case(String workload, String name, String note, StandardAuthorizer authorizer) {
        this.workload = workload;
        this.name = name;
        this.note = note;
        this.authorizer = authorizer;
    }

    void add(AuthorizableRequestContext context, String resource, boolean allowed) {
        questions.add(new Question(context, resource, allowed));
    }

    private static Action reading(String resource) {
        return new Action(AclOperation.READ,
            new ResourcePattern(ResourceType.TOPIC, resource, PatternType.LITERAL), 1, true, true);
    }

    /**
     * Asks for so many nanoseconds of asking. Returns what a check took on average, the collection
     * of its garbage included, or a negative number if an answer was wrong.
     */
    double askFor(long nanoseconds) {
        long total = 0;
        long count = 0;
        while (total < nanoseconds) {
            int begin = next;
            int end = Math.min(begin + CHUNK, questions.size());
            int expected = stage(begin, end);
            long start = System.nanoTime();
            int allowed = ask(begin, end);
            total += System.nanoTime() - start;
            count += end - begin;
            next = end % questions.size();
            if (allowed != expected) {
                return -1;
            }
        }
        return (double) total / count;
    }

    /**
     * Makes the actions, as a broker has just done when it asks, and reads the names, so that they
     * are in the caches. Returns how many are allowed.
     */
    private int stage(int begin, int end) {
        int expected = 0;
        STAGED.clear();
        for (int i = begin; i < end; i++) {
            Question question = questions.get(i);
            String resource = question.resource;
            String principal = question.context.principal().getName();
            for (int at = 0; at < resource.length(); at++) {
                touched += resource.charAt(at);
            }
            for (int at = 0; at < principal.length(); at++) {
                touched += principal.charAt(at);
            }
            touched += question.context.principal().hashCode();
            expected += question.allowed ? 1 : 0;
            STAGED.add(List.of(reading(resource)));
        }
        return expected;
    }

    private int ask(int begin, int end) {
        int allowed = 0;
        for (int i = begin; i < end; i++) {
            List<AuthorizationResult> results =
                authorizer.authorize(questions.get(i).context, STAGED.get(i - begin));
            if (results.get(0) == AuthorizationResult.ALLOWED) {
                allowed++;
            }
        }
        return allowed;
    }
}
