package io.hypercalld.api.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.hypercalld.iommu.vtd.Habits;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cases with members that are missing, of another type, or out of any range. */
final class MalformedRecordingsTest {
  private static final int CASES = 500;
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private static void collect(JsonNode node, List<JsonNode> containers) {
    if (!node.isEmpty()) {
      containers.add(node);
    }
    node.forEach(each -> collect(each, containers));
  }

  private static JsonNode anything(RandomGenerator random) {
    return switch (random.nextInt(9)) {
      case 0 -> JSON.nullNode();
      case 1 -> JSON.textNode("0x" + Long.toHexString(random.nextLong()));
      case 2 -> JSON.textNode("0x" + Long.toHexString(1L << random.nextInt(Long.SIZE)));
      case 3 -> JSON.textNode("nonsense");
      case 4 -> JSON.numberNode(random.nextInt());
      case 5 -> JSON.numberNode(-1);
      case 6 -> JSON.arrayNode();
      case 7 -> JSON.objectNode();
      default -> JSON.booleanNode(true);
    };
  }

  private static void damage(JsonNode container, RandomGenerator random) {
    boolean lose = random.nextInt(4) == 0;
    if (container instanceof ObjectNode object) {
      List<String> names = new ArrayList<>();
      object.fieldNames().forEachRemaining(names::add);
      String name = names.get(random.nextInt(names.size()));
      if (lose) {
        object.remove(name);
      } else {
        object.set(name, anything(random));
      }
    } else if (container instanceof ArrayNode array && lose) {
      array.remove(random.nextInt(array.size()));
    } else if (container instanceof ArrayNode array) {
      array.set(random.nextInt(array.size()), anything(random));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void damagedCase_isJudgedOrUnreadable_andNothingElse(long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    List<String> lines = Corpus.lines();
    Report report = Corpus.quiet();
    int unreadable = 0;
    for (int count = 0; count < CASES; count++) {
      ObjectNode recorded = Corpus.parse(lines.get(random.nextInt(lines.size())));
      List<JsonNode> containers = new ArrayList<>();
      collect(recorded, containers);
      damage(containers.get(random.nextInt(containers.size())), random);
      try {
        CaseRun.run(CaseReader.read(recorded), Habits.LENIENT, report);
      } catch (UnreadableRecording e) {
        assertThat(e.reason()).doesNotContain("\n");
        unreadable++;
      }
    }

    assertThat(unreadable).isPositive();
    assertThat(report.passed()).isPositive();
    assertThat(report.failed()).isPositive();
    assertThat(unreadable + report.passed() + report.failed()).isEqualTo(CASES);
  }
}
