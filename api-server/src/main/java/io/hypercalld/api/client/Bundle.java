package io.hypercalld.api.client;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** All that helps with a bug report. Never instantiated. */
final class Bundle {
  private static final List<String> MACHINE =
      List.of(
          "/v1",
          "/v1/machine",
          "/v1/machine/counters",
          "/v1/domains",
          "/v1/devices",
          "/v1/iommus",
          "/v1/console",
          "/_sim/digest",
          "/_sim/invariants",
          "/_sim/faults",
          "/metrics");
  private static final List<String> DOMAIN =
      List.of("/counters", "/p2m", "/vcpus", "/ioreq-servers", "/viommu", "/pirqs");
  private static final List<String> UNIT =
      List.of(
          "/registers",
          "/domain-ids",
          "/context-entries",
          "/iotlb",
          "/context-cache",
          "/faults",
          "/invalidation-queue",
          "/interrupt-entries");

  private Bundle() {}

  /** Answers by path; what there is none for is told with its status. */
  static Map<String, @Nullable Object> collect(DaemonClient daemon) {
    Map<String, @Nullable Object> answers = new LinkedHashMap<>();
    MACHINE.forEach(path -> ask(daemon, path, answers));
    collect(daemon, "/v1/domains", "domid", DOMAIN, answers);
    collect(daemon, "/v1/iommus", "iommu", UNIT, answers);
    return answers;
  }

  private static void collect(
      DaemonClient daemon,
      String list,
      String key,
      List<String> parts,
      Map<String, @Nullable Object> answers) {
    for (Object item : Tree.listAt(answers.get(list), "items")) {
      String resource = list + "/" + Tables.cell(Tree.at(item, key));
      parts.forEach(part -> ask(daemon, resource + part, answers));
    }
  }

  private static void ask(DaemonClient daemon, String path, Map<String, @Nullable Object> answers) {
    DaemonClient.Reply reply =
        daemon.ask(new HttpCall("GET", path, Map.of("Accept", "*/*"), Optional.empty()));
    answers.put(path, Tree.word(reply.text()));
  }
}
