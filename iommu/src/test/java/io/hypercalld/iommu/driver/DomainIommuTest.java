package io.hypercalld.iommu.driver;

import static io.hypercalld.iommu.driver.SimulatedMachine.NVME;
import static io.hypercalld.iommu.driver.SimulatedMachine.SOUND;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mGeometry;
import io.hypercalld.core.p2m.SyncHook;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.driver.HardwareDomainTable.Built;
import io.hypercalld.iommu.driver.HardwareDomainTable.Stuck;
import io.hypercalld.iommu.unit.DmaOutcome.Verdict;
import io.hypercalld.iommu.vtd.AddressWidth;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which table a domain's devices go through, how deep it is, and what it follows. */
class DomainIommuTest {
  private static final long BEYOND_THREE_LEVELS = 1L << 27;

  private final SimulatedMachine machine = SimulatedMachine.boot();

  @AfterEach
  void stop() {
    machine.close();
  }

  @Test
  void pageBeyondThreeLevels_givesTheTableAFourth_andDevicesStartThere() {
    Domain guest = roomy();
    machine.assign(NVME, guest);
    machine.assign(SOUND, guest);
    assertThat(levels()).isEqualTo(3);

    machine.add(guest, BEYOND_THREE_LEVELS);

    assertThat(levels()).isEqualTo(4);
    assertThat(machine.write(NVME, BEYOND_THREE_LEVELS << 12, "a5").verdict())
        .isEqualTo(Verdict.DONE);
    assertThat(machine.write(SOUND, BEYOND_THREE_LEVELS << 12, "a5").verdict())
        .isEqualTo(Verdict.DONE);
    assertThat(machine.write(NVME, 0x3000, "a5").verdict()).isEqualTo(Verdict.DONE);
    assertThat(violations()).isEmpty();
    machine.destroy(guest);
    assertThat(violations()).isEmpty();
  }

  @Test
  void pageOutOfReach_neverMapped_isUnmappedWithoutEffect() {
    Domain guest = roomy();
    machine.assign(NVME, guest);

    machine.remove(guest, BEYOND_THREE_LEVELS);

    assertThat(levels()).isEqualTo(3);
  }

  @Test
  void choice_whileSomethingIsMapped_isRefused() {
    Domain guest = machine.guest(4, true);
    String before = machine.digest();

    assertThat(
            SimulatedMachine.refusalOf(
                () -> machine.driver.iommuOf(guest.id()).choose(DmaPolicy.usual())))
        .isEqualTo(Errno.EBUSY);
    assertThat(machine.digest()).isEqualTo(before);
  }

  @Test
  void choice_ofWastefulTables_takesFourFramesEach() {
    Domain guest = machine.guest(0, true);
    DomainIommu iommu = machine.driver.iommuOf(guest.id());

    iommu.choose(
        new DmaPolicy(
            DmaPolicy.Tables.SEPARATE, Set.of(PageSize.SIZE_4K), TableFrameSize.FRAME_16K));

    assertThat(iommu.tableCounters().orElseThrow().tableBytes()).isEqualTo(16 << 10);
    assertThat(iommu.sharesP2m()).isFalse();
  }

  @Test
  void choice_withoutSmallLeaves_isNone() {
    assertThat(
            SimulatedMachine.refusalOf(
                () ->
                    new DmaPolicy(
                        DmaPolicy.Tables.SEPARATE,
                        Set.of(PageSize.SIZE_2M),
                        TableFrameSize.FRAME_4K)))
        .isEqualTo(Errno.EINVAL);
  }

  @Test
  void sharing_dependsOnTheShapeOfTheP2mAndOnEveryUnit() {
    assertThat(machine.driver.sharing().whyNot(P2mGeometry.GRANULE_4K)).isEmpty();
    assertThat(machine.driver.sharing().whyNot(P2mGeometry.GRANULE_16K))
        .contains("the P2M has pages of 16384 bytes, and a VT-d table has pages of 4096");
    assertThat(machine.driver.sharing().physicalCapabilities() >>> 5 & 1).isEqualTo(1);
    assertThat(machine.driver.sharing().resolve(Passthrough.ENABLED, DomainType.PV))
        .isEqualTo(Passthrough.SYNC_PT);
    try (SimulatedMachine plain = SimulatedMachine.withoutSuperpages()) {
      TableSharing sharing = plain.driver.sharing();
      assertThat(sharing.physicalCapabilities() >>> 5 & 1).isZero();
      assertThat(sharing.resolve(Passthrough.ENABLED, DomainType.HVM))
          .isEqualTo(Passthrough.SYNC_PT);
      assertThat(
              SimulatedMachine.refusalOf(
                  () -> sharing.resolve(Passthrough.SHARE_PT, DomainType.HVM)))
          .isEqualTo(Errno.EOPNOTSUPP);
    }
  }

  @Test
  void hookThatIsOff_leavesTheDeviceItsOldFrame_andTheAuditSaysSo() {
    Domain guest = machine.guest(8, true);
    machine.assign(NVME, guest);
    machine.driver.iommuOf(guest.id()).setHooks(EnumSet.of(SyncHook.PHYSMAP_ADD));
    long mfn = guest.p2m().lookup(new Gfn(3)).mfn().value();

    machine.remove(guest, 3);

    assertThat(machine.write(NVME, 0x3000, "a5").verdict()).isEqualTo(Verdict.DONE);
    assertThat(violations())
        .containsExactly(
            new Violation(
                "I9",
                ("0000:04:00.0 of d1 reach frame 0x%x (free) through guest frame 0x3,"
                        + " but it has nothing there: hook balloon is off")
                    .formatted(mfn)));
  }

  @Test
  void dom0Table_asShipped_staysAtTheFirstFrameOfXen() {
    List<FrameRun> ram = List.of(new FrameRun(0, 10), new FrameRun(20, 10));
    List<FrameRun> xen = List.of(new FrameRun(22, 2));

    assertThat(HardwareDomainTable.build(ram, xen, Profile.AS_SHIPPED, _ -> {}))
        .isInstanceOfSatisfying(
            Stuck.class,
            stuck -> {
              assertThat(stuck.at().value()).isEqualTo(22);
              assertThat(stuck.mapped()).isEqualTo(12);
            });
    assertThat(HardwareDomainTable.build(ram, xen, Profile.FIXED, _ -> {}))
        .isEqualTo(new Built(18));
  }

  /** A guest of eight pages that may have more. */
  private Domain roomy() {
    Domain guest = machine.guest(8, true);
    guest.reservation().limit(100);
    return guest;
  }

  private int levels() {
    return AddressWidth.of(machine.unit(1).contextEntry(NVME.sourceId()).addressWidthEncoding())
        .orElseThrow()
        .levels();
  }

  private List<Violation> violations() {
    return machine.violations();
  }
}
