package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.AssignmentHost.EFAULT;
import static io.hypercalld.api.acceptance.AssignmentHost.IO;
import static io.hypercalld.api.acceptance.DomainIdAcceptanceTest.DISK;
import static io.hypercalld.api.acceptance.DomainIdAcceptanceTest.DISK_CM;
import static io.hypercalld.api.acceptance.DomainIdAcceptanceTest.a;
import static io.hypercalld.api.acceptance.DomainIdAcceptanceTest.b;
import static io.hypercalld.api.acceptance.DomainIdCapacityAcceptanceTest.giveEach;
import static io.hypercalld.api.acceptance.DomainIdCapacityAcceptanceTest.variant;
import static io.hypercalld.api.acceptance.DomainIdCapacityAcceptanceTest.virtualFunctions;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The scenarios of the document on domain-ids per unit, 1 to 16, one row each. What 9 says of later
 * flushes needs two processors inside the hypervisor at once, so that part is DomainIdRaceTest's.
 */
final class DomainIdScenariosTest implements NumberedBehaviours<DomainIdScenariosTest.Hosts> {
  private static final int SCENARIOS = 16;
  private static final int IDS = 256;
  private static final int DOM0_AND_RESERVED = 2;
  static final int FEW_IDS = 16;
  private static final int FIRST_PSEUDO_ID = 0x8000;

  private static final long OUTSIDE_MEMORY = 0x4000_0000;

  /** The unit that covers all that no other does. */
  static final int REST = 5;

  private static final String SOUND = "0000:08:01.0";

  /**
   * The platforms of the scenarios.
   *
   * @param nics four units of 256 ids, 128 virtual functions behind each
   * @param awkward units of 16, 256 and 65536 ids, with caching mode and without
   */
  record Hosts(AssignmentHost nics, AssignmentHost awkward) implements NumberedBehaviours.Host {
    @Override
    public void close() {
      nics.close();
      awkward.close();
    }
  }

  @Override
  public Hosts start() {
    return new Hosts(AssignmentHost.on("four-nics"), AssignmentHost.on("awkward-devices"));
  }

  @Override
  public void begin(Hosts hosts) {
    hosts.nics.reset();
    hosts.awkward.reset();
  }

  /** Whatever a row broke on purpose, no state outlives it. */
  @Override
  public void end(Hosts hosts) {
    begin(hosts);
    assertThat(hosts.nics.violations()).isEmpty();
    assertThat(hosts.awkward.violations()).isEmpty();
  }

  @Override
  public Stream<Row<Hosts>> rows() {
    return Stream.of(
            sharing(),
            choosing(),
            DomainIdReuseScenarios.flushing(),
            DomainIdReuseScenarios.failing(),
            standing())
        .flatMap(rows -> rows);
  }

  @Test
  void rows_areTheSixteenScenarios() {
    assertThat(rows().map(row -> Integer.valueOf(row.name().split(" ", 2)[0])).sorted())
        .containsExactlyElementsOf(IntStream.rangeClosed(1, SCENARIOS).boxed().toList());
  }

  static Row<Hosts> nics(String name, Check<AssignmentHost> check) {
    return row(name, hosts -> check.on(hosts.nics));
  }

  static Row<Hosts> awkward(String name, Check<AssignmentHost> check) {
    return row(name, hosts -> check.on(hosts.awkward));
  }

  /** How many guests there can be. */
  private static Stream<Row<Hosts>> sharing() {
    return Stream.of(
        nics(
            "1 in one space of 256 ids the 255th guest fails or overflows, per unit all 512 fit",
            h -> {
              List<String> functions = virtualFunctions(h);
              assertThat(functions).hasSize(4 * 128);
              int most = IDS - DOM0_AND_RESERVED;

              h.policies("'domainIds':'global'");
              giveEach(h, functions.subList(0, most));
              int last = h.guest("16KiB");
              h.refuses(EBUSY, () -> h.assign(last, functions.get(most)));
              assertThat(h.violations()).isEmpty();

              h.reset();
              h.policies("'domainIds':'global','profile':'as-shipped'");
              giveEach(h, functions.subList(0, most + 1));
              assertThat(h.did(functions.get(most))).isEqualTo(IDS);
              assertThat(h.outcome(functions.get(most - 1), 0)).isEqualTo("done");
              assertThat(h.outcome(functions.get(most), 0)).isEqualTo("0xb");
              assertThat(h.violations())
                  .singleElement()
                  .asString()
                  .startsWith("I3")
                  .contains("has domain-id 256, but iommu 1 tells only 256 apart");

              h.reset();
              giveEach(h, functions);
              for (int unit = 0; unit < 4; unit++) {
                assertThat(h.ids(unit)).hasSize(128 + 1);
              }
              assertThat(h.violations()).isEmpty();
            }),
        nics(
            "13 one space is as large as the first unit's and overflows the small one",
            _ -> {
              try (AssignmentHost mixed =
                  variant(
                      "four-nics",
                      "base: 0xfed91000\n    cap: 0x00d2078c106f0602",
                      "base: 0xfed91000\n    cap: 0x00d2078c106f0600")) {
                List<String> functions = virtualFunctions(mixed);
                List<String> small = functions.subList(128, 128 + FEW_IDS);
                mixed.policies("'domainIds':'global','profile':'as-shipped'");
                assertThat(mixed.daemon().get("/v1/iommus/1").at("/domainIds/capacity"))
                    .isEqualTo("255");
                giveEach(mixed, functions.subList(0, FEW_IDS));
                giveEach(mixed, small.subList(0, 1));
                assertThat(mixed.did(small.getFirst())).isEqualTo(18);
                assertThat(mixed.outcome(small.getFirst(), 0)).isEqualTo("0xb");
                assertThat(mixed.violations())
                    .anyMatch(text -> text.contains("domain-id 18, but iommu 1 tells only 16"));

                mixed.reset();
                giveEach(mixed, small.subList(0, FEW_IDS - 1));
                assertThat(mixed.did(small.get(FEW_IDS - 2))).isEqualTo(FEW_IDS - 1);
                int last = mixed.guest("16KiB");
                mixed.refuses(EBUSY, () -> mixed.assign(last, small.getLast()));
                giveEach(mixed, functions.subList(0, FEW_IDS));
                assertThat(mixed.did(functions.get(FEW_IDS - 1))).isEqualTo(FEW_IDS);
                assertThat(mixed.violations()).isEmpty();
              }
            }),
        awkward(
            "6 no id left is EBUSY, in 2009 EFAULT, and nothing has changed",
            h -> {
              exhausted(h, "today", EBUSY);
              h.reset();
              exhausted(h, "as-shipped", EFAULT);
            }));
  }

  /** The sixteenth guest, given a function of dom0's and one out of quarantine. */
  private static void exhausted(AssignmentHost h, String profile, int errno) {
    h.policies("'profile':'" + profile + "'");
    String quarantined = a(16);
    assertThat(h.assign(IO, quarantined)).isZero();
    for (int i = 0; i < FEW_IDS - 1; i++) {
      h.given(h.guest(), a(i));
    }
    List<String> ids = h.ids(0);
    JsonNode entries = h.entries(0);
    int last = h.guest();

    h.refuses(errno, () -> h.assign(last, a(15)));
    h.refuses(errno, () -> h.assign(last, quarantined));

    assertThat(h.owner(a(15))).isZero();
    assertThat(h.owner(quarantined)).isEqualTo(IO);
    assertThat(h.entries(0)).isEqualTo(entries);
    assertThat(h.ids(0)).isEqualTo(ids).hasSize(FEW_IDS);
  }

  /** Which id it is. */
  private static Stream<Row<Hosts>> choosing() {
    return Stream.of(
        awkward(
            "2 two functions on one unit and one on another are one id on each, freed by the last",
            h -> {
              int guest = h.guest();
              List<String> freeOnA = h.ids(0);
              h.given(guest, a(0));
              h.given(guest, a(1));
              h.given(guest, b(0));
              assertThat(h.ids(0)).hasSize(2).contains(h.did(a(0)) + "=" + guest);
              assertThat(h.did(a(1))).isEqualTo(h.did(a(0)));
              assertThat(h.ids(1)).hasSize(2).contains(h.did(b(0)) + "=" + guest);
              List<String> heldOnA = h.ids(0);
              List<String> heldOnB = h.ids(1);
              JsonNode entriesOnB = h.entries(1);
              h.resetCounters();

              h.deassign(guest, a(0));
              assertThat(h.ids(0)).isEqualTo(heldOnA);
              h.deassign(guest, a(1));

              assertThat(h.ids(0)).isEqualTo(freeOnA);
              assertThat(h.ids(1)).isEqualTo(heldOnB);
              assertThat(h.entries(1)).isEqualTo(entriesOnB);
              assertThat(h.commands(1)).isZero();
              assertThat(h.outcome(b(0), 0)).isEqualTo("done");
              h.given(h.guest(), a(2));
              assertThat(h.did(a(2))).isEqualTo(1);
              assertThat(h.violations()).isEmpty();
            }),
        awkward(
            "4 in caching mode id 0 is nobody's, in 2009 it was dom0's and the checks say so",
            h -> {
              h.policies("'profile':'fixed'");
              for (int i = 0; i < FEW_IDS - 2; i++) {
                h.given(h.guest(), b(i));
              }
              int last = h.guest();
              h.refuses(EBUSY, () -> h.assign(last, b(14)));
              assertThat(h.idOf(1, 0)).isEqualTo(1);
              assertThat(h.ids(1)).hasSize(FEW_IDS - 1).noneMatch(id -> id.startsWith("0="));
              assertThat(h.entries(1)).noneMatch(entry -> entry.get("domainId").asInt() == 0);
              assertThat(h.violations()).isEmpty();

              h.reset();
              h.policies("'profile':'as-shipped'");
              assertThat(h.idOf(1, 0)).isZero();
              assertThat(h.did(b(0))).isZero();
              assertThat(h.violations())
                  .anyMatch(
                      text ->
                          text.startsWith("I3")
                              && text.contains("domain-id 0, which iommu 1 in caching mode keeps"));
            }),
        awkward(
            "5 verbatim, domain 16 and dom0 are two tables under one id of 16",
            h -> {
              h.policies("'domainIds':'verbatim'");
              int guest = h.guest(FEW_IDS);
              h.given(guest, a(0));
              assertThat(h.did(a(0))).isZero().isEqualTo(h.did(a(1)));
              assertThat(h.table(0, a(0))).isNotEqualTo(h.table(0, a(1)));
              // A guest without any memory reaches dom0's, once dom0's own device has been there.
              String dom0s = h.maddr(a(1), 0x10_0000);
              assertThat(h.maddr(a(0), 0x10_0000)).isEqualTo(dom0s);
              assertThat(h.violations())
                  .anyMatch(
                      text ->
                          text.startsWith("I3 domain-id 0 of iommu 0 stands for two tables")
                              && text.contains("of d0")
                              && text.contains("of d16"));

              h.reset();
              h.policies("'domainIds':'verbatim','profile':'fixed'");
              h.guest(FEW_IDS);
              h.refuses(EBUSY, () -> h.assign(FEW_IDS, a(0)));
              h.given(FEW_IDS, DISK);
              assertThat(h.did(DISK)).isEqualTo(FEW_IDS);
            }),
        awkward(
            "8 a conventional device is three context entries and one id, and leaves with them all",
            h -> {
              List<String> before = h.ids(REST);
              int guest = h.guest();
              h.given(guest, SOUND);
              assertThat(h.requesters(REST, guest))
                  .containsExactlyInAnyOrder("0000:07:00.0", "0000:08:00.0", SOUND);
              assertThat(h.ids(REST))
                  .hasSize(before.size() + 1)
                  .containsAll(before)
                  .contains(h.did(SOUND) + "=" + guest);

              assertThat(h.deassign(guest, SOUND)).isZero();

              assertThat(h.requesters(REST, guest)).isEmpty();
              for (String requester : List.of("0000:07:00.0", "0000:08:00.0", SOUND)) {
                assertThat(h.did(REST, requester)).as(requester).isEqualTo(-1);
              }
              assertThat(h.ids(REST)).isEqualTo(before);
              assertThat(h.violations()).isEmpty();
            }),
        awkward(
            "11 with 16 bits there is no map: the id is the number or its complement, and back",
            h -> {
              assertThat(h.mapSlots(0)).isEqualTo(FEW_IDS);
              assertThat(h.mapSlots(2)).isZero();
              assertThat(h.mapSlots(3)).isZero();
              for (int domid : new int[] {1, 0x123, 0x7fef}) {
                h.guest(domid);
                h.given(domid, DISK);
                h.given(domid, DISK_CM);
                assertThat(h.did(DISK)).isEqualTo(domid);
                assertThat(h.did(DISK_CM)).isEqualTo(0xffff - domid);
                assertThat(h.ids(2)).contains(domid + "=" + domid);
                assertThat(h.ids(3)).contains((0xffff - domid) + "=" + domid);
                h.outcome(DISK, OUTSIDE_MEMORY);
                h.outcome(DISK_CM, OUTSIDE_MEMORY);
                assertThat(h.culprit(2, DISK)).isEqualTo(domid);
                assertThat(h.culprit(3, DISK_CM)).isEqualTo(domid);
                h.daemon().delete("/v1/domains/" + domid);
              }
              assertThat(h.violations()).isEmpty();
            }));
  }

  /** Whom an id stands for. */
  private static Stream<Row<Hosts>> standing() {
    return Stream.of(
        awkward(
            "12 in quarantine a function has a pseudo id and a table of its own, or faults",
            h -> {
              h.policies("'quarantine':'scratch-page'");
              int bystander = h.guest();
              h.given(bystander, a(3));
              int did = h.did(a(3));
              int guest = h.guest();
              for (String function : List.of(a(0), a(1), DISK)) {
                h.given(guest, function);
              }
              String guests = h.maddr(a(0), 0x5000);
              for (String function : List.of(a(0), a(1), DISK)) {
                assertThat(h.deassign(guest, function)).isZero();
                assertThat(h.owner(function)).isEqualTo(IO);
              }
              assertThat(h.pseudoId(0, a(0)))
                  .isGreaterThanOrEqualTo(FIRST_PSEUDO_ID)
                  .isNotEqualTo(h.pseudoId(0, a(1)));
              assertThat(h.pseudoId(0, a(1))).isGreaterThanOrEqualTo(FIRST_PSEUDO_ID);
              assertThat(h.table(0, a(0))).isNotEqualTo(h.table(0, a(1)));
              assertThat(h.maddr(a(0), 0x5000))
                  .isEqualTo(h.maddr(a(0), 0x1234_5000))
                  .isNotEqualTo(h.maddr(a(1), 0x5000))
                  .isNotEqualTo(guests);
              // Where ids are numbers, those of guests and those in quarantine do not meet.
              assertThat(h.did(DISK)).isGreaterThanOrEqualTo(FIRST_PSEUDO_ID);
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              assertThat(h.did(a(3))).isEqualTo(did).isEqualTo(h.idOf(0, bystander));
              h.given(bystander, DISK);
              assertThat(h.did(DISK)).isEqualTo(bystander);
              assertThat(h.violations()).isEmpty();

              h.reset();
              for (int i = 0; i < FEW_IDS - 1; i++) {
                h.given(h.guest(), a(i));
              }
              int last = h.guest();
              assertThat(h.deassign(h.owner(a(0)), a(0))).isZero();
              assertThat(h.outcome(a(0), 0x5000)).isEqualTo("0x2");
              h.given(last, a(15));
              assertThat(h.violations()).isEmpty();
            }),
        awkward(
            "16 a fault names the guest that its unit knows by the id, not another unit's",
            h -> {
              int first = h.guest();
              int second = h.guest();
              h.given(first, a(0));
              h.given(second, a(1));
              h.given(first, b(0));
              assertThat(h.did(a(1))).isEqualTo(2).isEqualTo(h.did(b(0)));
              h.outcome(a(1), OUTSIDE_MEMORY);
              h.outcome(b(0), OUTSIDE_MEMORY);
              assertThat(h.culprit(0, a(1))).isEqualTo(second);
              assertThat(h.culprit(1, b(0))).isEqualTo(first);
              assertThat(h.violations()).isEmpty();
            }));
  }
}
