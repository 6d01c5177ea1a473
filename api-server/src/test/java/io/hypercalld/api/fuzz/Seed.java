package io.hypercalld.api.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.fuzz.RawClient.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A request that is right, or nearly so. */
record Seed(String method, String path, String body) {
  private static final Map<String, String> PLACES =
      Map.of("d", "1", "sbdf", "0000:03:10.0", "machine", "lab", "n", "0", "v", "0", "id", "0");

  /** Streams that never end by themselves. */
  private static final List<String> ENDLESS = List.of("/v1/events", "/stream");

  /** How often each that is quick is there for one that is slow. */
  private static final int QUICK = 200;

  private static final int BY_HAND_EACH = 8;

  private static final List<Seed> BY_HAND =
      List.of(
          new Seed("POST", "/v1/domains", "{\"name\":\"a\",\"type\":\"hvm\",\"memory\":\"4MiB\"}"),
          new Seed("PUT", "/v1/devices/0000:03:10.0/assignment", "{\"domain\":1}"),
          new Seed("DELETE", "/v1/devices/0000:03:10.0/assignment", ""),
          new Seed(
              "POST",
              "/v1/devices/0000:03:10.0/dma",
              "{\"op\":\"read\",\"address\":\"0x1000\",\"length\":8}"),
          new Seed(
              "POST",
              "/v1/domains/1/vcpus/0/access",
              "{\"gpa\":\"0x0\",\"op\":\"read\",\"size\":4}"),
          new Seed("POST", "/v1/hypercalls/domctl/pausedomain", "{\"domain\":1}"),
          new Seed(
              "POST",
              "/v1/hypercalls/memory_op/populate_physmap",
              "{\"domid\":1,\"extent_start\":{\"first\":\"0x0\",\"count\":4},\"extent_order\":0}"),
          new Seed(
              "POST",
              "/v1/hypercalls/multicall",
              "[{\"call\":\"domctl\",\"op\":\"getdomaininfo\",\"args\":{\"domain\":1}}]"),
          new Seed("POST", "/v1/iommus/0/mmio", "{\"offset\":\"0x18\",\"size\":4}"),
          new Seed("POST", "/_sim/clock", "{\"advanceNanos\":1000}"),
          new Seed("POST", "/v1/machines", "{\"name\":\"lab\"}"));

  /** One for every operation of the document, and some that get further. */
  static List<Seed> all(RawClient client) throws IOException {
    Answer document = client.exchange("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    JsonNode paths = new ObjectMapper().readTree(document.body()).get("paths");
    List<Seed> seeds = new ArrayList<>();
    paths
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .fieldNames()
                    .forEachRemaining(
                        verb ->
                            seeds.add(
                                new Seed(
                                    verb.toUpperCase(Locale.ROOT), filled(path.getKey()), "{}"))));
    seeds.removeIf(
        seed -> seed.method.equals("PARAMETERS") || ENDLESS.stream().anyMatch(seed.path::endsWith));
    List<Seed> slow = seeds.stream().filter(Seed::isSlow).toList();
    List<Seed> quick = new ArrayList<>(seeds.stream().filter(seed -> !seed.isSlow()).toList());
    for (int i = 0; i < BY_HAND_EACH; i++) {
      quick.addAll(BY_HAND);
    }
    List<Seed> all = new ArrayList<>(slow);
    for (int i = 0; i < QUICK; i++) {
      all.addAll(quick);
    }
    return all;
  }

  /** Takes long by design. */
  private boolean isSlow() {
    return path.contains("/experiments") || path.contains("snapshots");
  }

  private static String filled(String template) {
    String path = template;
    for (var place : PLACES.entrySet()) {
      path = path.replace("{" + place.getKey() + "}", place.getValue());
    }
    return path.replaceAll("\\{[^}]*\\}", "0");
  }
}
