package rivals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What rivals_workload wrote: rules, and requests about them. */
final class Workload {
    record Rule(String id, String basinPrefix, String basin, String streamPrefix) {
    }

    record Request(String id, String basin, String stream, boolean allowed) {
    }

    private final Path directory;

    Workload(Path directory) {
        this.directory = directory;
    }

    List<Rule> rules(String set) {
        try (Stream<String> lines = Files.lines(directory.resolve(set + ".rules"))) {
            return lines.map(line -> line.split("\t"))
                .map(field -> new Rule(field[0], field[1], field[2], field[3]))
                .toList();
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }

    List<Request> requests(String name) {
        try (Stream<String> lines = Files.lines(directory.resolve(name + ".requests"))) {
            return lines.map(line -> line.split("\t"))
                .map(field -> new Request(field[0], field[1], field[2], field[3].equals("1")))
                .toList();
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }
}
