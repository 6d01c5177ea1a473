package io.hypercalld.api.contract;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The page that promises what the API is: its names, line by line. Immutable. */
final class ContractPage {
  private static final Pattern METHODS_AND_PATH =
      Pattern.compile(
          "((?:GET|POST|PUT|PATCH|DELETE|WS)(?:\\|\\w+)*) +([/.][^ ,]*)|(?<= |^)([/.]+[a-z{][^"
              + " ,]*)");
  private static final Pattern CHOICE = Pattern.compile("\\{([\\w-]+(?:\\|[\\w-]+)+)}");
  private static final Pattern MEMBER = Pattern.compile("(?<=[{,])\"([a-zA-Z]\\w*)\"(?=[:,}])");
  private static final Pattern METRIC = Pattern.compile("`(hv_\\w+)(?:\\{([^}]*)})?`");
  private static final Pattern POLICY = Pattern.compile("`(\\w+)` ([^,;]*(?:, \\[[^]]*])?)");
  private static final Pattern OPTION = Pattern.compile("`(--[a-z-]+)");
  private static final Pattern STATUS = Pattern.compile("(\\d{3}) ((?:E[A-Z0-9]+ ?)+)");

  private final String text;

  private ContractPage(String text) {
    this.text = text;
  }

  /**
   * A method and a path, as the page has them.
   *
   * @param path a template; begins with {@code ...} where the page leaves the beginning out
   * @param query names of parameters
   */
  record Promise(String method, String path, Set<String> query) {
    @Override
    public String toString() {
      return method + " " + path + (query.isEmpty() ? "" : " " + query);
    }
  }

  /** The page beside the repository; without it the test is skipped. */
  static ContractPage read() {
    Path found =
        Stream.of("../shared/api.md", "../../shared/api.md", "../../../shared/api.md")
            .map(Path::of)
            .filter(Files::isRegularFile)
            .findFirst()
            .orElse(Path.of("absent"));
    assumeTrue(Files.isRegularFile(found), "the contract is not beside the repository");
    try {
      return new ContractPage(Files.readString(found));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is between two places of the page. */
  private String between(String begin, String end) {
    int from = text.indexOf(begin);
    return text.substring(from, text.indexOf(end, from + begin.length()));
  }

  /** Every method and path of the resources. */
  List<Promise> promises() {
    List<Promise> promises = new ArrayList<>();
    for (String line : between("\nGET  /v1 ", "\n```").lines().toList()) {
      String methods = "GET";
      Matcher found = METHODS_AND_PATH.matcher(line);
      while (found.find()) {
        methods = found.group(1) == null ? methods : found.group(1);
        String path = found.group(1) == null ? found.group(3) : found.group(2);
        for (String method : methods.split("\\|", -1)) {
          promises.addAll(expand(method, path));
        }
      }
    }
    return promises;
  }

  private static List<Promise> expand(String method, String path) {
    Set<String> query = new LinkedHashSet<>();
    Pattern.compile("[?&](\\w+)=")
        .matcher(path)
        .results()
        .forEach(name -> query.add(name.group(1)));
    String place = path.replaceFirst("[?\\[:].*", "");
    Matcher choice = CHOICE.matcher(place);
    List<String> places =
        choice.find()
            ? Stream.of(choice.group(1).split("\\|", -1))
                .map(one -> place.replace(choice.group(), one))
                .toList()
            : List.of(place);
    return places.stream().map(one -> new Promise(method, one, query)).toList();
  }

  /** Members that a kind of resource keeps, by the word with which the page introduces it. */
  List<String> members(String kind) {
    String line = between("\n- " + kind, "\n\n").split("\n- ", -1)[1];
    return MEMBER.matcher(line).results().map(name -> name.group(1)).distinct().toList();
  }

  /** Metrics and the names of their labels. */
  Map<String, Set<String>> metrics() {
    Map<String, Set<String>> metrics = new LinkedHashMap<>();
    METRIC
        .matcher(text.substring(text.indexOf("## 5. Metrics")))
        .results()
        .forEach(found -> metrics.put(found.group(1), labels(found)));
    return metrics;
  }

  private static Set<String> labels(MatchResult metric) {
    return metric.group(2) == null ? Set.of() : Set.of(metric.group(2).split(",", -1));
  }

  /** Policies and their alternatives as the page writes them. */
  Map<String, String> policies() {
    Map<String, String> policies = new LinkedHashMap<>();
    POLICY
        .matcher(between("- policies (all optional", "Test-only controls"))
        .results()
        .filter(found -> !found.group(1).startsWith("GET"))
        .forEach(found -> policies.put(found.group(1), found.group(2).strip()));
    return policies;
  }

  /** Options of the command line. */
  List<String> options() {
    return OPTION
        .matcher(between("## 4. Starting it", "## 5."))
        .results()
        .map(found -> found.group(1))
        .distinct()
        .toList();
  }

  /** The HTTP status of each errno. */
  Map<String, Integer> statuses() {
    Map<String, Integer> statuses = new LinkedHashMap<>();
    STATUS
        .matcher(between("- **errno to status**", "\n- **"))
        .results()
        .forEach(
            found -> {
              for (String errno : found.group(2).strip().split(" ", -1)) {
                statuses.put(errno, Integer.parseInt(found.group(1)));
              }
            });
    return statuses;
  }
}
