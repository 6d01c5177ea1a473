package io.hypercalld.api.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.contract.ServedMachine.Answer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What holds for every hypercall, whatever it is given. */
final class EveryHypercallTest {
  private static final int ROUNDS = 8;

  /** Values that are hard to swallow, by the kind of member. */
  private static final List<String> WORDS =
      List.of(
          "\"0x0\"", "\"0xffffffffffffffff\"", "\"0x8000000000000000\"", "1", "\"0xfffffffff\"");

  private static final List<String> COUNTS =
      List.of("0", "1", "63", "2147483647", "9007199254740991");
  private static final List<String> DOMAINS =
      List.of("0", "7", "32752", "32753", "32754", "32756", "65535");
  private static final List<String> DEVICES =
      List.of("\"0000:00:00.0\"", "\"0000:7f:1f.7\"", "\"ffff:ff:1f.7\"", "\"0000:03:10.0\"");

  private static ServedMachine machine;

  @BeforeAll
  static void serve() {
    machine = new ServedMachine();
  }

  @AfterAll
  static void stop() {
    machine.close();
  }

  @Test
  void hypercall_refusedWithAnyArguments_leavesTheStateAlone() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(42);
    List<String> undocumented = new ArrayList<>();
    String digest = machine.digest();
    for (JsonNode operation : machine.get("/v1/hypercalls").json().at("/items")) {
      for (int round = 0; round < ROUNDS; round++) {
        String arguments = object(operation.at("/arguments"), random);
        Answer answer =
            machine.post(
                "/v1/hypercalls/"
                    + operation.at("/call").asText()
                    + "/"
                    + operation.at("/op").asText(),
                arguments);

        String after = machine.digest();
        assertThat(answer.status()).as("%s %s", operation.at("/op"), arguments).isNotEqualTo(500);
        if (answer.status() != 200) {
          assertThat(after).as("%s %s", operation.at("/op"), arguments).isEqualTo(digest);
          assertThat(answer.text()).doesNotContain("Exception", "io.hypercalld");
        }
        if (answer.status() >= 401 && !errnos(operation).contains(answer.at("/errno"))) {
          undocumented.add(operation.at("/op").asText() + " " + answer.text());
        }
        digest = after;
      }
    }
    assertThat(undocumented).isEmpty();
    assertThat(machine.get("/_sim/invariants").json().at("/violations")).isEmpty();
  }

  private static List<String> errnos(JsonNode operation) {
    List<String> errnos = new ArrayList<>();
    operation.at("/errnos").forEach(errno -> errnos.add(errno.asText()));
    return errnos;
  }

  @Test
  void hypercall_ofLevelNone_answersEnosys() {
    for (JsonNode operation : machine.get("/v1/hypercalls").json().at("/items")) {
      if (operation.at("/level").asText().equals("none")) {
        Answer answer =
            machine.call(
                operation.at("/call").asText() + "/" + operation.at("/op").asText(),
                "{'anything':[1,2]}");

        assertThat(answer.status()).isEqualTo(501);
        assertThat(answer.at("/errno")).isEqualTo("ENOSYS");
        assertThat(answer.at("/ret")).isEqualTo("-38");
      }
    }
  }

  @Test
  void catalogue_hasEveryOperationOfTheContract() {
    Map<String, List<String>> named = new LinkedHashMap<>();
    machine
        .get("/v1/hypercalls")
        .json()
        .at("/items")
        .forEach(
            operation ->
                named
                    .computeIfAbsent(operation.at("/call").asText(), call -> new ArrayList<>())
                    .add(operation.at("/op").asText()));

    assertThat(named.keySet())
        .containsExactlyInAnyOrder(
            "domctl",
            "memory_op",
            "grant_table_op",
            "mmuext_op",
            "physdev_op",
            "dm_op",
            "hvm_op",
            "event_channel_op",
            "iommu_op",
            "dom0vp_op");
    assertThat(named.get("domctl"))
        .contains(
            "createdomain destroydomain pausedomain unpausedomain getdomaininfo max_mem max_vcpus"
                .split(" "))
        .contains("getpageframeinfo set_target shadow_op assign_device deassign_device".split(" "))
        .contains("test_assign_device get_device_group bind_pt_irq unbind_pt_irq".split(" "))
        .contains("memory_mapping ioport_mapping iomem_permission ioport_permission".split(" "))
        .contains("irq_permission", "viommu_op");
    assertThat(named.get("memory_op"))
        .contains("populate_physmap increase_reservation decrease_reservation".split(" "))
        .contains("exchange add_to_physmap add_to_physmap_batch remove_from_physmap".split(" "))
        .contains("maximum_gpfn current_reservation maximum_reservation".split(" "))
        .contains("set_pod_target get_pod_target paging_op access_op".split(" "))
        .contains("reserved_device_memory_map", "acquire_resource");
  }

  private static String object(JsonNode schema, RandomGenerator random) {
    Map<String, String> members = new LinkedHashMap<>();
    schema
        .at("/properties")
        .properties()
        .forEach(
            member -> {
              boolean optional = member.getValue().has("default") || random.nextInt(4) == 0;
              if (!optional || random.nextBoolean()) {
                members.put(member.getKey(), value(member.getKey(), member.getValue(), random));
              }
            });
    return members.entrySet().stream()
        .map(member -> "\"" + member.getKey() + "\":" + member.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static String value(String name, JsonNode schema, RandomGenerator random) {
    if (name.equals("domain") || name.equals("domid") || name.equals("target")) {
      return pick(DOMAINS, random);
    }
    if (name.equals("interface_version") && random.nextInt(10) > 0) {
      return schema.get("default").toString();
    }
    if (schema.has("oneOf")) {
      JsonNode alternatives = schema.at("/oneOf");
      return value("", alternatives.get(random.nextInt(alternatives.size())), random);
    }
    return switch (schema.at("/type").asText()) {
      case "integer" -> pick(COUNTS, random);
      case "string" ->
          schema.has("examples")
              ? pick(DEVICES, random)
              : schema.has("format")
                  ? "\"00000000-0000-0000-0000-000000000001\""
                  : pick(WORDS, random);
      case "array" -> "[" + value("", schema.at("/items"), random) + "]";
      case "object" -> object(schema, random);
      case "boolean" -> "true";
      default -> "null";
    };
  }

  private static String pick(List<String> values, RandomGenerator random) {
    return values.get(random.nextInt(values.size()));
  }
}
