package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.DomainIdCapacityAcceptanceTest.giveEach;
import static io.hypercalld.api.acceptance.DomainIdCapacityAcceptanceTest.variant;
import static io.hypercalld.api.acceptance.DomainIdCapacityAcceptanceTest.virtualFunctions;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;

/**
 * How many guests there can be on four units of 64 ids, and what telling the units costs: the
 * questions of the document on domain-ids per unit, asked by hypercalls. The experiment answers
 * them for other platforms, too.
 */
final class DomainIdQuestionsAcceptanceTest implements AssignmentBehaviours {
  private static final int UNITS = 4;
  private static final int FUNCTIONS = 128;
  private static final int BESIDE_DOM0 = 63;

  @Override
  public AssignmentHost start() {
    return AssignmentHost.on("four-nics-64");
  }

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(
        row(
            "Q1 one space of 64 ids has room for 62 guests, a space for each unit for 252",
            h -> {
              h.policies("'domainIds':'global'");
              giveEach(h, virtualFunctions(h).subList(0, BESIDE_DOM0 - 1));
              refusesOneMore(h, 1, 0);
              h.reset();
              fill(h, UNITS, BESIDE_DOM0);
            }),
        row(
            "Q1 in caching mode there is room for 62 on a unit, in 2009 for 63 and dom0 had id 0",
            _ -> {
              try (AssignmentHost caching = variant("four-nics-64", "106f0601", "106f0681")) {
                fill(caching, 1, BESIDE_DOM0 - 1);
                caching.reset();
                caching.policies("'profile':'as-shipped'");
                giveEach(caching, virtualFunctions(caching).subList(0, BESIDE_DOM0));
                assertThat(caching.idOf(0, 0)).isZero();
              }
            }),
        row(
            "Q2 guests with functions on two units each are 126",
            h -> {
              List<String> functions = virtualFunctions(h);
              for (int first = 0; first < UNITS; first += 2) {
                for (int each = 0; each < BESIDE_DOM0; each++) {
                  int guest = h.guest("16KiB");
                  h.given(guest, functions.get(first * FUNCTIONS + each));
                  h.given(guest, functions.get((first + 1) * FUNCTIONS + each));
                }
              }
              for (int unit = 0; unit < UNITS; unit++) {
                refusesOneMore(h, unit, BESIDE_DOM0);
              }
            }),
        row(
            "Q3 an unmapped page costs one command on each unit of the domain",
            h -> {
              int guest = h.guest();
              for (int units = 1; units <= UNITS; units++) {
                h.given(guest, function(h, units - 1, 0));
                h.resetCounters();
                assertThat(h.xen().decrease(guest, "0x" + units)).isEqualTo(1);
                for (int unit = 0; unit < UNITS; unit++) {
                  assertThat(h.commands(unit)).as("unit %d", unit).isEqualTo(unit < units ? 1 : 0);
                }
              }
            }));
  }

  /** So many guests on each of the first units, and no more. */
  private static void fill(AssignmentHost h, int units, int guests) {
    List<String> functions = virtualFunctions(h);
    for (int unit = 0; unit < units; unit++) {
      giveEach(h, functions.subList(unit * FUNCTIONS, unit * FUNCTIONS + guests));
      refusesOneMore(h, unit, guests);
    }
  }

  private static void refusesOneMore(AssignmentHost h, int unit, int index) {
    int last = h.guest("16KiB");
    String function = function(h, unit, index);
    h.refuses(EBUSY, () -> h.assign(last, function));
  }

  private static String function(AssignmentHost h, int unit, int index) {
    return virtualFunctions(h).get(unit * FUNCTIONS + index);
  }
}
