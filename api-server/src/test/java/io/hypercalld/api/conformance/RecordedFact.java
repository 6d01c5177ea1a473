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

/**
 * One kind of fact that a case records, and how to make it wrong: to a value that the recorded
 * implementation cannot have had.
 */
enum RecordedFact {
  LANDED("\"landed\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, segments(recorded), segment -> segment.path("landed").size() > 0)
          .map(segment -> flip((ArrayNode) segment.get("landed"), 0, page(random)));
    }
  },
  GPA("\"gpa\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, segments(recorded), each -> moved(each) && each.hasNonNull("gpa"))
          .map(segment -> flip(segment, "gpa", page(random)));
    }
  },
  PASSED_FOR_BLOCKED("\"fault\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, segments(recorded), each -> observed(each) && each.hasNonNull("fault"))
          .map(
              segment -> {
                segment.put("ok", true).put("gpa", "0x7ffff000").putNull("fault");
                segment.remove("fpd_suppressed");
                return "passed " + segment.path("deviation").asText();
              });
    }
  },
  BLOCKED_FOR_PASSED("\"landed\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, segments(recorded), each -> moved(each) && !each.has("deviation"))
          .map(
              segment -> {
                segment.put("ok", false);
                segment.putObject("fault").put("reason", 7).put("sid", "0x20").put("addr", "0x0");
                return "blocked";
              });
    }
  },
  DATA("\"r\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(
              random,
              steps(recorded),
              step ->
                  step.path("dir").asText().equals("r")
                      && step.path("data").asText().length() > 1
                      && all(step.path("segs"), RecordedFact::moved))
          .map(
              step -> {
                String data = step.get("data").asText();
                int at = random.nextInt(data.length());
                char other = data.charAt(at) == '7' ? '8' : '7';
                step.put("data", data.substring(0, at) + other + data.substring(at + 1));
                return "data digit " + at;
              });
    }
  },
  FAULT_REASON("\"fault\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(
              random,
              segments(recorded),
              each -> observed(each) && each.hasNonNull("fault") && !each.has("fpd_suppressed"))
          .map(segment -> reason(segment));
    }
  },
  ALLOWED("\"allowed\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, segments(recorded), each -> observed(each) && each.has("allowed"))
          .map(
              segment -> {
                segment.putArray("allowed").add("fault:0x3f");
                return "allowed";
              });
    }
  },
  WALK("\"uncached_spec\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> isPlain(step))
          .map(step -> (ObjectNode) step.get("uncached_spec").get(0))
          .map(
              walk ->
                  walk.path("ok").asBoolean()
                      ? flip(walk, "gpa", page(random))
                      : set(walk, "reason", 0x3f));
    }
  },
  DEVIATION("\"deviation\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, segments(recorded), each -> each.has("deviation"))
          .map(segment -> remove(segment, "deviation"));
    }
  },
  FSTS("\"fsts\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return faultRegisters(recorded, random)
          .map(regs -> flip(regs, "fsts", 1L << random.nextInt(2)));
    }
  },
  FRCD_ADDRESS("\"frcd_lo\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return faultRegisters(recorded, random)
          .map(regs -> flip(regs, "frcd_lo", 1L << (12 + random.nextInt(52))));
    }
  },
  FRCD_REASON("\"frcd_hi\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return faultRegisters(recorded, random)
          .map(regs -> flip(regs, "frcd_hi", 1L << (32 + random.nextInt(8))));
    }
  },
  FRCD_SOURCE("\"frcd_hi\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return faultRegisters(recorded, random)
          .map(regs -> flip(regs, "frcd_hi", 1L << random.nextInt(16)));
    }
  },
  FRCD_FLAGS("\"frcd_hi\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return faultRegisters(recorded, random)
          .map(regs -> flip(regs, "frcd_hi", 1L << (60 + random.nextInt(4))));
    }
  },
  FRCD_PASID("\"frcd_hi\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return faultRegisters(recorded, random)
          .map(regs -> flip(regs, "frcd_hi", 1L << (40 + random.nextInt(20))));
    }
  },
  REGISTER("\"r32\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> step.path("op").asText().matches("r(32|64)"))
          .map(step -> flip(step, "result", 1L << random.nextInt(width(step))));
    }
  },
  MEMORY("\"memr\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> step.path("op").asText().equals("memr"))
          .map(step -> flip(step, "result", 1L << random.nextInt(Long.SIZE)));
    }
  },
  FINAL("\"final\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      ObjectNode registers = (ObjectNode) recorded.get("final");
      List<String> names = new ArrayList<>();
      registers.fieldNames().forEachRemaining(names::add);
      String name = names.get(random.nextInt(names.size()));
      return Optional.of(flip(registers, name, 1L << random.nextInt(Integer.SIZE)));
    }
  },
  QUEUE_HEAD("\"iqh\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return Optional.of(flip((ObjectNode) recorded.get("final"), "iqh", 0x10));
    }
  },
  MESSAGE("\"vtd_msi\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> step.path("vtd_msi").size() > 0)
          .map(
              step ->
                  random.nextBoolean()
                      ? remove(step, "vtd_msi")
                      : flip((ObjectNode) step.get("vtd_msi").get(0), "data", 1));
    }
  },
  INTERRUPT("\"spec_ir\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> step.hasNonNull("spec_ir"))
          .map(step -> (ObjectNode) step.get("spec_ir"))
          .map(
              rule ->
                  rule.path("ok").asBoolean()
                      ? delivered(rule, random)
                      : set(rule, "reason", rule.get("reason").asInt() ^ 1));
    }
  },
  INTERRUPT_SUPPRESSED("\"spec_ir\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> step.path("spec_ir").has("fpd"))
          .map(step -> (ObjectNode) step.get("spec_ir"))
          .map(
              rule -> {
                rule.put("fpd", !rule.get("fpd").asBoolean());
                return "fpd";
              });
    }
  },
  MARK("\"mem_changes\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return marks(recorded, random)
          .map(marks -> flip((ArrayNode) marks.get(0), 2, random.nextBoolean() ? 0x40 : 0x200));
    }
  },
  MARK_BEFORE("\"mem_changes\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return marks(recorded, random).map(marks -> flip((ArrayNode) marks.get(0), 1, 0x1000));
    }
  },
  MARK_ADDRESS("\"mem_changes\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return marks(recorded, random).map(marks -> flip((ArrayNode) marks.get(0), 0, 0x100));
    }
  },
  MARK_LOST("\"mem_changes\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> isExactlyMarked(step))
          .map(step -> remove(step, "mem_changes"));
    }
  },
  MARK_DUE("\"updates\"") {
    @Override
    Optional<String> falsify(ObjectNode recorded, RandomGenerator random) {
      return pick(random, steps(recorded), step -> isExactlyMarked(step))
          .map(step -> (ArrayNode) step.at("/uncached_spec/0/updates/0"))
          .map(update -> flip(update, 1, 0x1000));
    }
  };

  private final String needle;

  RecordedFact(String needle) {
    this.needle = needle;
  }

  /** Whether a case's line may have such a fact. */
  boolean mayBeIn(String line) {
    return line.contains(needle);
  }

  /** Makes one such fact wrong; empty where the case has none. */
  abstract Optional<String> falsify(ObjectNode recorded, RandomGenerator random);

  private static List<ObjectNode> steps(ObjectNode recorded) {
    List<ObjectNode> steps = new ArrayList<>();
    recorded.get("steps").forEach(step -> steps.add((ObjectNode) step));
    return steps;
  }

  private static List<ObjectNode> segments(ObjectNode recorded) {
    List<ObjectNode> segments = new ArrayList<>();
    for (ObjectNode step : steps(recorded)) {
      if (!step.hasNonNull("spec_ir")) {
        step.path("segs").forEach(segment -> segments.add((ObjectNode) segment));
      }
    }
    return segments;
  }

  private static Optional<ObjectNode> pick(
      RandomGenerator random, List<ObjectNode> from, Predicate<ObjectNode> suitable) {
    List<ObjectNode> found = from.stream().filter(suitable).toList();
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(found.get(random.nextInt(found.size())));
  }

  private static boolean observed(JsonNode segment) {
    return !segment.path("unobservable").asBoolean()
        && !segment.path("bus_master_off").asBoolean()
        && !segment.path("interrupt_range").asBoolean();
  }

  private static boolean moved(JsonNode segment) {
    return observed(segment) && segment.path("ok").asBoolean();
  }

  private static boolean all(JsonNode array, Predicate<JsonNode> condition) {
    boolean all = array.size() > 0;
    for (JsonNode each : array) {
      all &= condition.test(each);
    }
    return all;
  }

  /** Whether the specification's walk alone decides what the first segment may come to. */
  private static boolean isPlain(ObjectNode step) {
    JsonNode segment = step.path("segs").path(0);
    return step.path("uncached_spec").path(0).isObject()
        && !step.hasNonNull("spec_ir")
        && observed(segment)
        && !segment.has("allowed")
        // Software is not told why a request of a requester with FPD is blocked.
        && !step.at("/uncached_spec/0/fpd").asBoolean();
  }

  /** Whether a step sets marks, and just those that the specification wants. */
  private static boolean isExactlyMarked(ObjectNode step) {
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

  private static Optional<ArrayNode> marks(ObjectNode recorded, RandomGenerator random) {
    return pick(
            random,
            steps(recorded),
            step -> step.path("mem_changes").size() > 0 && !step.has("ad_deviation"))
        .map(step -> (ArrayNode) step.get("mem_changes"));
  }

  private static Optional<ObjectNode> faultRegisters(ObjectNode recorded, RandomGenerator random) {
    Function<ObjectNode, JsonNode> of =
        step -> step.has("regs") ? step.get("regs") : step.path("result");
    return pick(random, steps(recorded), step -> of.apply(step).has("fsts"))
        .map(step -> (ObjectNode) of.apply(step));
  }

  private static String delivered(ObjectNode rule, RandomGenerator random) {
    List<String> names =
        List.of("vector", "dest", "delivery", "trigger", "dest_mode").stream()
            .filter(rule::hasNonNull)
            .toList();
    return flip(rule, names.get(random.nextInt(names.size())), 1);
  }

  /** A root that cannot be read: no case has that behind what else it does. */
  private static String reason(ObjectNode segment) {
    ObjectNode fault = (ObjectNode) segment.get("fault");
    return set(fault, "reason", fault.get("reason").asInt() == 8 ? 9 : 8)
        + " "
        + segment.path("deviation").asText();
  }

  private static int width(ObjectNode step) {
    return step.get("op").asText().equals("r64") ? Long.SIZE : Integer.SIZE;
  }

  private static long page(RandomGenerator random) {
    return 0x1000L << random.nextInt(4);
  }

  private static String flip(ObjectNode object, String name, long bits) {
    object.set(name, flipped(object.get(name), bits));
    return name + " ^ " + Hex.of(bits);
  }

  private static String flip(ArrayNode array, int index, long bits) {
    array.set(index, flipped(array.get(index), bits));
    return "element " + index + " ^ " + Hex.of(bits);
  }

  private static JsonNode flipped(JsonNode value, long bits) {
    return value.isTextual()
        ? TextNode.valueOf(Hex.of(Members.number(value) ^ bits))
        : IntNode.valueOf((int) (value.asLong() ^ bits));
  }

  private static String set(ObjectNode object, String name, int value) {
    object.put(name, value);
    return name + " = " + value;
  }

  private static String remove(ObjectNode object, String name) {
    object.remove(name);
    return "no " + name;
  }
}
