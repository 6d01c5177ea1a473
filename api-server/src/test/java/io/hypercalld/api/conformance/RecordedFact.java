package io.hypercalld.api.conformance;

import static io.hypercalld.api.conformance.RecordedFacts.all;
import static io.hypercalld.api.conformance.RecordedFacts.delivered;
import static io.hypercalld.api.conformance.RecordedFacts.faultRegisters;
import static io.hypercalld.api.conformance.RecordedFacts.flip;
import static io.hypercalld.api.conformance.RecordedFacts.isExactlyMarked;
import static io.hypercalld.api.conformance.RecordedFacts.isPlain;
import static io.hypercalld.api.conformance.RecordedFacts.marks;
import static io.hypercalld.api.conformance.RecordedFacts.moved;
import static io.hypercalld.api.conformance.RecordedFacts.observed;
import static io.hypercalld.api.conformance.RecordedFacts.page;
import static io.hypercalld.api.conformance.RecordedFacts.pick;
import static io.hypercalld.api.conformance.RecordedFacts.reason;
import static io.hypercalld.api.conformance.RecordedFacts.remove;
import static io.hypercalld.api.conformance.RecordedFacts.segments;
import static io.hypercalld.api.conformance.RecordedFacts.set;
import static io.hypercalld.api.conformance.RecordedFacts.steps;
import static io.hypercalld.api.conformance.RecordedFacts.width;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.Immutable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * One kind of fact that a case records, and how to make it wrong: to a value that the recorded
 * implementation cannot have had.
 */
enum RecordedFact {
  LANDED(
      "\"landed\"",
      (recorded, random) ->
          pick(random, segments(recorded), segment -> segment.path("landed").size() > 0)
              .map(segment -> flip((ArrayNode) segment.get("landed"), 0, page(random)))),
  GPA(
      "\"gpa\"",
      (recorded, random) ->
          pick(random, segments(recorded), each -> moved(each) && each.hasNonNull("gpa"))
              .map(segment -> flip(segment, "gpa", page(random)))),
  PASSED_FOR_BLOCKED(
      "\"fault\"",
      (recorded, random) -> {
        return pick(random, segments(recorded), each -> observed(each) && each.hasNonNull("fault"))
            .map(
                segment -> {
                  segment.put("ok", true).put("gpa", "0x7ffff000").putNull("fault");
                  segment.remove("fpd_suppressed");
                  return "passed " + segment.path("deviation").asText();
                });
      }),
  BLOCKED_FOR_PASSED(
      "\"landed\"",
      (recorded, random) -> {
        return pick(random, segments(recorded), each -> moved(each) && !each.has("deviation"))
            .map(
                segment -> {
                  segment.put("ok", false);
                  segment.putObject("fault").put("reason", 7).put("sid", "0x20").put("addr", "0x0");
                  return "blocked";
                });
      }),
  DATA(
      "\"r\"",
      (recorded, random) -> {
        return pick(
                random,
                steps(recorded),
                step ->
                    step.path("dir").asText().equals("r")
                        && step.path("data").asText().length() > 1
                        && all(step.path("segs"), RecordedFacts::moved))
            .map(
                step -> {
                  String data = step.get("data").asText();
                  int at = random.nextInt(data.length());
                  char other = data.charAt(at) == '7' ? '8' : '7';
                  step.put("data", data.substring(0, at) + other + data.substring(at + 1));
                  return "data digit " + at;
                });
      }),
  FAULT_REASON(
      "\"fault\"",
      (recorded, random) ->
          pick(
                  random,
                  segments(recorded),
                  each -> observed(each) && each.hasNonNull("fault") && !each.has("fpd_suppressed"))
              .map(segment -> reason(segment))),
  ALLOWED(
      "\"allowed\"",
      (recorded, random) -> {
        return pick(random, segments(recorded), each -> observed(each) && each.has("allowed"))
            .map(
                segment -> {
                  segment.putArray("allowed").add("fault:0x3f");
                  return "allowed";
                });
      }),
  WALK(
      "\"uncached_spec\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> isPlain(step))
              .map(step -> (ObjectNode) step.get("uncached_spec").get(0))
              .map(
                  walk ->
                      walk.path("ok").asBoolean()
                          ? flip(walk, "gpa", page(random))
                          : set(walk, "reason", 0x3f))),
  DEVIATION(
      "\"deviation\"",
      (recorded, random) ->
          pick(random, segments(recorded), each -> each.has("deviation"))
              .map(segment -> remove(segment, "deviation"))),
  FSTS("\"fsts\"", faultBit("fsts", 0, 2)),
  FRCD_ADDRESS("\"frcd_lo\"", faultBit("frcd_lo", 12, 52)),
  FRCD_REASON("\"frcd_hi\"", faultBit("frcd_hi", 32, 8)),
  FRCD_SOURCE("\"frcd_hi\"", faultBit("frcd_hi", 0, 16)),
  FRCD_FLAGS("\"frcd_hi\"", faultBit("frcd_hi", 60, 4)),
  FRCD_PASID("\"frcd_hi\"", faultBit("frcd_hi", 40, 20)),
  REGISTER(
      "\"r32\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> step.path("op").asText().matches("r(32|64)"))
              .map(step -> flip(step, "result", 1L << random.nextInt(width(step))))),
  MEMORY(
      "\"memr\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> step.path("op").asText().equals("memr"))
              .map(step -> flip(step, "result", 1L << random.nextInt(Long.SIZE)))),
  FINAL(
      "\"final\"",
      (recorded, random) -> {
        ObjectNode registers = (ObjectNode) recorded.get("final");
        List<String> names = new ArrayList<>();
        registers.fieldNames().forEachRemaining(names::add);
        String name = names.get(random.nextInt(names.size()));
        return Optional.of(flip(registers, name, 1L << random.nextInt(Integer.SIZE)));
      }),
  QUEUE_HEAD(
      "\"iqh\"",
      (recorded, random) -> Optional.of(flip((ObjectNode) recorded.get("final"), "iqh", 0x10))),
  MESSAGE(
      "\"vtd_msi\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> step.path("vtd_msi").size() > 0)
              .map(
                  step ->
                      random.nextBoolean()
                          ? remove(step, "vtd_msi")
                          : flip((ObjectNode) step.get("vtd_msi").get(0), "data", 1))),
  INTERRUPT(
      "\"spec_ir\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> step.hasNonNull("spec_ir"))
              .map(step -> (ObjectNode) step.get("spec_ir"))
              .map(
                  rule ->
                      rule.path("ok").asBoolean()
                          ? delivered(rule, random)
                          : set(rule, "reason", rule.get("reason").asInt() ^ 1))),
  INTERRUPT_SUPPRESSED(
      "\"spec_ir\"",
      (recorded, random) -> {
        return pick(random, steps(recorded), step -> step.path("spec_ir").has("fpd"))
            .map(step -> (ObjectNode) step.get("spec_ir"))
            .map(
                rule -> {
                  rule.put("fpd", !rule.get("fpd").asBoolean());
                  return "fpd";
                });
      }),
  MARK(
      "\"mem_changes\"",
      (recorded, random) ->
          marks(recorded, random)
              .map(
                  marks -> flip((ArrayNode) marks.get(0), 2, random.nextBoolean() ? 0x40 : 0x200))),
  MARK_BEFORE(
      "\"mem_changes\"",
      (recorded, random) ->
          marks(recorded, random).map(marks -> flip((ArrayNode) marks.get(0), 1, 0x1000))),
  MARK_ADDRESS(
      "\"mem_changes\"",
      (recorded, random) ->
          marks(recorded, random).map(marks -> flip((ArrayNode) marks.get(0), 0, 0x100))),
  MARK_LOST(
      "\"mem_changes\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> isExactlyMarked(step))
              .map(step -> remove(step, "mem_changes"))),
  MARK_DUE(
      "\"updates\"",
      (recorded, random) ->
          pick(random, steps(recorded), step -> isExactlyMarked(step))
              .map(step -> (ArrayNode) step.at("/uncached_spec/0/updates/0"))
              .map(update -> flip(update, 1, 0x1000)));

  /** Makes a fact of a case wrong; empty where the case has none such. */
  @Immutable
  @FunctionalInterface
  private interface Falsehood {
    Optional<String> in(ObjectNode recorded, RandomGenerator random);
  }

  private final String needle;
  private final Falsehood falsehood;

  RecordedFact(String needle, Falsehood falsehood) {
    this.needle = needle;
    this.falsehood = falsehood;
  }

  /**
   * One of some bits of a register of the fault log.
   *
   * @param first the lowest of them
   */
  private static Falsehood faultBit(String register, int first, int bits) {
    return (recorded, random) ->
        faultRegisters(recorded, random)
            .map(regs -> flip(regs, register, 1L << (first + random.nextInt(bits))));
  }

  /** Whether a case's line may have such a fact. */
  boolean mayBeIn(String line) {
    return line.contains(needle);
  }

  /** Makes one such fact wrong; empty where the case has none. */
  Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
    return falsehood.in(recorded, random);
  }
}
