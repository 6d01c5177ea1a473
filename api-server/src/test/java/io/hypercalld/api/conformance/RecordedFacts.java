package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** Where a recorded case has its facts, and how they are changed. */
final class RecordedFacts {
  private RecordedFacts() {}

  static List<ObjectNode> steps(ObjectNode recorded) {
    List<ObjectNode> steps = new ArrayList<>();
    recorded.get("steps").forEach(step -> steps.add((ObjectNode) step));
    return steps;
  }

  static List<ObjectNode> segments(ObjectNode recorded) {
    List<ObjectNode> segments = new ArrayList<>();
    for (ObjectNode step : steps(recorded)) {
      if (!step.hasNonNull("spec_ir")) {
        step.path("segs").forEach(segment -> segments.add((ObjectNode) segment));
      }
    }
    return segments;
  }

  static Optional<ObjectNode> pick(
      RandomGenerator random, List<ObjectNode> from, Predicate<ObjectNode> suitable) {
    List<ObjectNode> found = from.stream().filter(suitable).toList();
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(found.get(random.nextInt(found.size())));
  }

  static boolean observed(JsonNode segment) {
    return !segment.path("unobservable").asBoolean()
        && !segment.path("bus_master_off").asBoolean()
        && !segment.path("interrupt_range").asBoolean();
  }

  static boolean moved(JsonNode segment) {
    return observed(segment) && segment.path("ok").asBoolean();
  }

  static boolean all(JsonNode array, Predicate<JsonNode> condition) {
    boolean all = array.size() > 0;
    for (JsonNode each : array) {
      all &= condition.test(each);
    }
    return all;
  }

  /** Whether the specification's walk alone decides what the first segment may come to. */
  static boolean isPlain(ObjectNode step) {
    JsonNode segment = step.path("segs").path(0);
    return step.path("uncached_spec").path(0).isObject()
        && !step.hasNonNull("spec_ir")
        && observed(segment)
        && !segment.has("allowed")
        // Software is not told why a request of a requester with FPD is blocked.
        && !step.at("/uncached_spec/0/fpd").asBoolean();
  }

  /** Whether a step sets marks, and just those that the specification wants. */
  static boolean isExactlyMarked(ObjectNode step) {
    return step.path("mem_changes").size() > 0
        && step.at("/uncached_spec/0/updates").size() > 0
        && !step.has("ad_deviation")
        && all(
            step.path("segs"),
            segment ->
                moved(segment)
                    && !segment.path("iotlb_hit").asBoolean()
                    && segment.path("matches_uncached_spec").asBoolean());
  }

  static Optional<ArrayNode> marks(ObjectNode recorded, RandomGenerator random) {
    return pick(
            random,
            steps(recorded),
            step -> step.path("mem_changes").size() > 0 && !step.has("ad_deviation"))
        .map(step -> (ArrayNode) step.get("mem_changes"));
  }

  static Optional<ObjectNode> faultRegisters(ObjectNode recorded, RandomGenerator random) {
    Function<ObjectNode, JsonNode> of =
        step -> step.has("regs") ? step.get("regs") : step.path("result");
    return pick(random, steps(recorded), step -> of.apply(step).has("fsts"))
        .map(step -> (ObjectNode) of.apply(step));
  }

  static String delivered(ObjectNode rule, RandomGenerator random) {
    List<String> names =
        List.of("vector", "dest", "delivery", "trigger", "dest_mode").stream()
            .filter(rule::hasNonNull)
            .toList();
    return flip(rule, names.get(random.nextInt(names.size())), 1);
  }

  /** A root that cannot be read: no case has that behind what else it does. */
  static String reason(ObjectNode segment) {
    ObjectNode fault = (ObjectNode) segment.get("fault");
    return set(fault, "reason", fault.get("reason").asInt() == 8 ? 9 : 8)
        + " "
        + segment.path("deviation").asText();
  }

  static int width(ObjectNode step) {
    return step.get("op").asText().equals("r64") ? Long.SIZE : Integer.SIZE;
  }

  static long page(RandomGenerator random) {
    return 0x1000L << random.nextInt(4);
  }

  static String flip(ObjectNode object, String name, long bits) {
    object.set(name, flipped(object.get(name), bits));
    return name + " ^ " + Hex.of(bits);
  }

  static String flip(ArrayNode array, int index, long bits) {
    array.set(index, flipped(array.get(index), bits));
    return "element " + index + " ^ " + Hex.of(bits);
  }

  static JsonNode flipped(JsonNode value, long bits) {
    return value.isTextual()
        ? TextNode.valueOf(Hex.of(Members.number(value) ^ bits))
        : IntNode.valueOf((int) (value.asLong() ^ bits));
  }

  static String set(ObjectNode object, String name, int value) {
    object.put(name, value);
    return name + " = " + value;
  }

  static String remove(ObjectNode object, String name) {
    object.remove(name);
    return "no " + name;
  }
}
