package io.hypercalld.core.hypercall;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.frames;
import static io.hypercalld.core.SimulatedHost.ret;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.CoreInvariants;
import io.hypercalld.core.SimulatedHost;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Behaviours of Xen that are known by number: spec/xen-core.md, chapter 7, as far as reservations,
 * the P2M and the life of domains go.
 *
 * <p>Each row begins with dom0 and a guest, domain 1, of 512 pages in one leaf and at most 1024.
 */
class NumberedBehaviourTest {
  private static final DomainId DOM0 = DomainId.DOM0;
  private static final DomainId D = new DomainId(1);
  private static final DomainId NOBODY = new DomainId(77);

  static Stream<Arguments> behaviours() {
    return Stream.of(
        row(
            "1 a fresh domain has nothing and may have nothing",
            m -> {
              DomainId fresh = m.host().create(HVM_HAP);
              assertThat(ret(() -> m.memory().maximumGpfn(DOM0, new MaximumGpfn(fresh)))).isZero();
              assertThat(
                      ret(() -> m.memory().currentReservation(DOM0, new CurrentReservation(fresh))))
                  .isZero();
              assertThat(
                      ret(() -> m.memory().maximumReservation(DOM0, new MaximumReservation(fresh))))
                  .isZero();
              assertThat(m.host().populate(fresh, 0, 0)).isZero();
            }),
        row(
            "2 maximum_gpfn never falls",
            m -> {
              assertThat(m.host().populate(D, 0, 0x1000)).isEqualTo(1);
              assertThat(m.maximumGpfn()).isEqualTo(0x1000);
              assertThat(m.host().decrease(D, 0, 0x1000)).isEqualTo(1);
              assertThat(m.type(0x1000)).isEqualTo(P2mType.MMIO_DM);
              assertThat(m.maximumGpfn()).isEqualTo(0x1000);
              assertThat(m.current()).isEqualTo(512);
            }),
        row(
            "3 a misaligned large extent becomes small leaves over aligned frames",
            m -> {
              m.host().limit(D, 1536);
              assertThat(m.host().populate(D, 9, 0x600)).isEqualTo(1);
              assertThat(m.order(0x600)).isEqualTo(9);
              assertThat(m.host().populate(D, 9, 0xa01)).isEqualTo(1);
              assertThat(m.order(0xa01)).isZero();
              assertThat(m.mfn(0xa01) & 0x1ff).isZero();
              assertThat(m.mfn(0xc00)).isEqualTo(m.mfn(0xa01) + 0x1ff);
            }),
        row(
            "4 a part that changes splits the leaf, and nothing joins it again",
            m -> {
              long tables = m.d().p2m().tables();
              Mfn mfn = m.host().lookup(D, 5).mfn();
              m.d().p2m().set(new Gfn(5), mfn, PageSize.SIZE_4K, P2mType.RAM_RO);
              assertThat(m.type(4)).isEqualTo(P2mType.RAM_RW);
              assertThat(m.order(4)).isZero();
              m.d().p2m().set(new Gfn(5), mfn, PageSize.SIZE_4K, P2mType.RAM_RW);
              assertThat(m.order(4)).isZero();
              assertThat(m.d().p2m().tables()).isEqualTo(tables + 1);
            }),
        row(
            "5 the limit stops populate where it is reached",
            m -> {
              m.host().limit(D, 514);
              assertThat(m.host().populate(D, 0, 0x1000, 0x1001, 0x1002)).isEqualTo(2);
              assertThat(m.current()).isEqualTo(514);
              assertThat(m.isHole(0x1002)).isTrue();
            }),
        row(
            "6 arguments that are wrong populate nothing",
            m -> {
              assertThat(m.host().populate(NOBODY, 0, 0x1000)).isZero();
              assertThat(
                      m.host().populate(D, 0, GuestFrames.consecutive(new Gfn(0x1000), 0x400_0000)))
                  .isZero();
              assertThat(m.populate(DOM0, D, 0, 8, frames(0x1000))).isZero();
            }),
        row(
            "7 populating over RAM makes an orphan of its frame",
            m -> {
              long old = m.mfn(7);
              assertThat(m.host().populate(D, 0, 7)).isEqualTo(1);
              assertThat(m.current()).isEqualTo(513);
              assertThat(m.m2p(old)).isEqualTo(FrameTable.INVALID_M2P);
              assertThat(m.host().hypervisor().frames().owner(old)).isEqualTo(1);
              long fresh = m.mfn(7);
              assertThat(m.host().decrease(D, 0, 7)).isEqualTo(1);
              assertThat(m.current()).isEqualTo(512);
              assertThat(m.host().hypervisor().frames().owner(fresh))
                  .isEqualTo(FrameTable.NO_OWNER);
            }),
        row(
            "8 how large an extent may be depends on the caller",
            m -> {
              m.host().limit(D, 1 << 20);
              assertThat(m.populate(D, DomainId.SELF, 10, 0, frames(0x4_0000))).isZero();
              assertThat(m.populate(D, DomainId.SELF, 9, 0, frames(0x4_0000))).isEqualTo(1);
              assertThat(m.populate(DOM0, D, 18, 0, frames(0x8_0000))).isEqualTo(1);
              assertThat(m.order(0x8_0000)).isEqualTo(18);
              assertThat(m.populate(DOM0, D, 19, 0, frames(0x10_0000))).isZero();
            }),
        row(
            "9 a frame that cannot be mapped stays charged",
            m -> {
              assertThat(m.host().populate(D, 0, 1L << 36)).isZero();
              assertThat(m.current()).isEqualTo(513);
              assertThat(m.maximumGpfn()).isEqualTo(0x1ff);
            }),
        row(
            "10 decrease stops at a hole",
            m -> {
              assertThat(m.host().decrease(D, 0, 5, 0x5000, 6)).isEqualTo(1);
              assertThat(m.isHole(5)).isTrue();
              assertThat(m.type(6)).isEqualTo(P2mType.RAM_RW);
            }),
        row(
            "11 remove_from_physmap keeps the frame",
            m -> {
              assertThat(m.remove(9)).isZero();
              assertThat(m.current()).isEqualTo(512);
              assertThat(m.remove(9)).isEqualTo(-2);
              assertThat(m.host().decrease(D, 0, 9)).isZero();
            }),
        row(
            "12 a page moves with its frame",
            m -> {
              long frame = m.mfn(3);
              assertThat(m.host().move(D, 3, 0x2000)).isZero();
              assertThat(m.isHole(3)).isTrue();
              assertThat(m.mfn(0x2000)).isEqualTo(frame);
              assertThat(m.m2p(frame)).isEqualTo(0x2000);
              assertThat(m.maximumGpfn()).isEqualTo(0x2000);
              assertThat(m.current()).isEqualTo(512);
            }),
        row(
            "13 a page that moves over another frees it",
            m -> {
              long freed = m.mfn(4);
              assertThat(m.host().move(D, 3, 4)).isZero();
              assertThat(m.current()).isEqualTo(511);
              assertThat(m.host().hypervisor().frames().owner(freed))
                  .isEqualTo(FrameTable.NO_OWNER);
            }),
        row(
            "14 a page that moves to where it is stays",
            m -> {
              String before = m.host().digest();
              assertThat(m.host().move(D, 3, 3)).isZero();
              assertThat(m.host().digest()).isEqualTo(before);
            }),
        row(
            "15 what add_to_physmap refuses",
            m -> {
              Mfn mfn = m.host().lookup(D, 6).mfn();
              m.d().p2m().set(new Gfn(6), mfn, PageSize.SIZE_4K, P2mType.RAM_RO);
              assertThat(m.host().move(D, 0x4000, 0x2000)).isEqualTo(-13);
              assertThat(m.host().move(D, 6, 0x2000)).isEqualTo(-13);
              m.d().p2m().set(new Gfn(6), mfn, PageSize.SIZE_4K, P2mType.IOREQ_SERVER);
              assertThat(m.host().move(D, 6, 0x2000)).isEqualTo(-13);
              assertThat(m.host().move(D, 3, -1)).isEqualTo(-22);
              assertThat(m.add(9, 0, 0x2000, 0)).isEqualTo(-22);
              assertThat(m.add(0, 1, 0x2000, 0)).isEqualTo(-22);
              assertThat(m.add(5, 0, 0x2000, 0)).isEqualTo(-13);
            }),
        row(
            "16 spaces that belong to the other call",
            m -> {
              assertThat(m.add(4, 0, 0x2000, 0)).isEqualTo(-38);
              assertThat(ret(() -> m.batch(3, frames(1), frames(0x2000)))).isEqualTo(-95);
              assertThat(ret(() -> m.batch(2, frames(), frames()))).isZero();
            }),
        row(
            "17 a batch goes on after an element that failed",
            m -> {
              Outcome outcome = m.batch(2, frames(1, 0x4000, 2), frames(0x2001, 0x2002, 0x2003));
              assertThat(outcome).isEqualTo(Outcome.returning(new BatchErrors(List.of(0, -13, 0))));
            }),
        row(
            "18 a guest frame that is no number ends a batch",
            m -> {
              assertThat(ret(() -> m.batch(2, frames(1, 2, 3), frames(0x2001, -1, 0x2003))))
                  .isEqualTo(-22);
              assertThat(m.type(0x2001)).isEqualTo(P2mType.RAM_RW);
              assertThat(m.isHole(0x2003)).isTrue();
            }),
        row(
            "19 an overlapping range moves from the far end",
            m -> {
              long first = m.mfn(0x10);
              assertThat(m.add(3, 0x10, 0x12, 4)).isZero();
              for (long i = 0; i < 4; i++) {
                assertThat(m.mfn(0x12 + i)).isEqualTo(first + i);
              }
              assertThat(m.isHole(0x10)).isTrue();
              assertThat(m.isHole(0x11)).isTrue();
              assertThat(m.current()).isEqualTo(510);
              assertThat(m.add(3, 0x10, -2, 4)).isEqualTo(-75);
            }),
        row(
            "42 unknown domains are a control domain's to know",
            m -> {
              assertThat(m.reportRet(DOM0, NOBODY)).isEqualTo(-3);
              assertThat(m.reportRet(D, NOBODY)).isEqualTo(-1);
              assertThat(m.pause(D, DOM0)).isEqualTo(-1);
            }),
        row("43 what createdomain refuses", NumberedBehaviourTest::refusedCreations),
        row(
            "44 the same id is not chosen twice in a row",
            m -> {
              DomainId first = m.host().create(HVM_HAP);
              m.host().destroy(first);
              assertThat(m.host().create(HVM_HAP)).isNotEqualTo(first);
            }),
        row(
            "45 a fresh domain is paused and has no vCPUs",
            m -> {
              DomainReport report = m.report(m.host().create(HVM_HAP));
              long flags = report.flags().value();
              assertThat(flags & 0x8).isNotZero();
              assertThat(flags & 0x30).isZero();
              assertThat((flags >>> 16) & 0xff).isEqualTo(255);
              assertThat(report.nrOnlineVcpus()).isZero();
              assertThat(report.maxVcpuId()).isEqualTo(new Word(0xffff_ffffL));
            }),
        row(
            "46 pauses are counted",
            m -> {
              assertThat(m.unpause(D)).isZero();
              assertThat(m.unpause(D)).isEqualTo(-22);
              DomainId fresh = m.host().create(HVM_HAP);
              for (int i = 0; i < 254; i++) {
                assertThat(m.pause(DOM0, fresh)).isZero();
              }
              assertThat(m.pause(DOM0, fresh)).isEqualTo(-75);
              assertThat(m.pause(DOM0, DOM0)).isEqualTo(-22);
            }),
        row(
            "47 max_vcpus only repeats what createdomain said",
            m -> {
              assertThat(m.maxVcpus(D, 3)).isEqualTo(-22);
              assertThat(m.maxVcpus(D, 2)).isZero();
              assertThat(m.maxVcpus(D, 2)).isZero();
              assertThat(m.report(D).maxVcpuId()).isEqualTo(new Word(1));
            }),
        row(
            "48 a limit below what there is only stops growth",
            m -> {
              assertThat(ret(() -> m.domains().maxMem(DOM0, new MaxMem(D, new Word(4))))).isZero();
              assertThat(m.host().populate(D, 0, 0x1000)).isZero();
              assertThat(m.host().decrease(D, 0, 5)).isEqualTo(1);
              assertThat(m.report(D).totPages()).isEqualTo(511);
              assertThat(m.report(D).maxPages()).isEqualTo(1);
            }),
        row(
            "49 the first reason to shut down wins",
            m -> {
              m.d().run().shutDown(0);
              m.d().run().shutDown(3);
              assertThat(m.d().run().shutdownCode()).isZero();
              assertThat((m.report(D).flags().value() >>> 16) & 0xff).isZero();
              assertThat(m.report(D).flags().value() & 0x4).isNotZero();
              m.d().run().resume();
              assertThat((m.report(D).flags().value() >>> 16) & 0xff).isEqualTo(255);
            }),
        row(
            "50 a domain is destroyed once nobody refers to it",
            m -> {
              assertThat(m.host().destroy(DOM0)).isEqualTo(-22);
              DomainId model = m.host().create(HVM_HAP);
              assertThat(m.setTarget(model, D)).isZero();
              assertThat(m.host().destroy(D)).isZero();
              assertThat(m.report(D).flags().value() & 1).isEqualTo(1);
              assertThat(m.create(SimulatedHost.request(D, HVM_HAP))).isEqualTo(-17);
              assertThat(m.host().destroy(D)).isZero();
              assertThat(m.host().destroy(model)).isZero();
              assertThat(m.reportRet(DOM0, D)).isEqualTo(-3);
              assertThat(m.host().destroy(D)).isEqualTo(-3);
              assertThat(m.create(SimulatedHost.request(D, HVM_HAP))).isZero();
            }),
        row(
            "51 a device model serves one target",
            m -> {
              DomainId s = m.host().create(HVM_HAP);
              DomainId pv = m.host().create(0);
              assertThat(m.setTarget(D, D)).isEqualTo(-22);
              assertThat(m.setTarget(D, pv)).isEqualTo(-95);
              assertThat(m.setTarget(D, NOBODY)).isEqualTo(-3);
              assertThat(m.setTarget(s, D)).isZero();
              assertThat(m.setTarget(s, D)).isEqualTo(-22);
              assertThat(m.populate(s, D, 0, 0, frames(0x1000))).isEqualTo(1);
              assertThat(m.pause(s, D)).isEqualTo(-1);
            }),
        row(
            "52 getpageframeinfo tells pages from what is none",
            m -> {
              long[] many = new long[1025];
              assertThat(ret(() -> pageTypes(m, frames(many)))).isEqualTo(-7);
              assertThat(pageTypes(m, frames(5, 0x5000, 0x200)))
                  .isEqualTo(
                      Outcome.returning(
                          new PageFrameTypes(
                              List.of(
                                  new Word(0), new Word(0xf000_0000L), new Word(0xf000_0000L)))));
            }));
  }

  private static Outcome pageTypes(NumberedMachine m, GuestFrames array) {
    return m.host()
        .hypervisor()
        .controlCalls()
        .pages()
        .getPageFrameTypes(DOM0, new GetPageFrameTypes(D, Optional.empty(), array));
  }

  private static void refusedCreations(NumberedMachine m) {
    assertThat(m.create(with(0x200, 0, 2, 2, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(with(0x2, 0, 2, 2, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(with(0x3, 1, 2, 2, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(with(0x3, 0, 0, 2, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(with(0x3, 0, 129, 2, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(with(0x3, 0, 2, 0, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(with(0x3, 0, 2, 0x10, 0, Optional.empty()))).isEqualTo(-22);
    assertThat(m.create(SimulatedHost.request(D, HVM_HAP))).isEqualTo(-17);
    assertThat(m.create(SimulatedHost.request(DomainId.INVALID, HVM_HAP))).isEqualTo(-17);
    assertThat(m.create(with(0x3, 0, 2, 2, 0, Optional.of(new CreateDomain.Arch(2, 0)))))
        .isEqualTo(-95);
    assertThat(m.create(with(0x3, 0, 2, 2, 77, Optional.empty()))).isEqualTo(-3);
    assertThat(m.create(with(0x3, 0, 2, 2, 0, Optional.of(new CreateDomain.Arch(0x800, 0)))))
        .isEqualTo(-22);
    assertThat(m.create(with(0x3, 0, 2, 2, 0, Optional.of(new CreateDomain.Arch(0x1ff, 0)))))
        .isZero();
  }

  private static CreateDomain with(
      long flags,
      long iommuOpts,
      long maxVcpus,
      long grantOpts,
      long cpupool,
      Optional<CreateDomain.Arch> arch) {
    return new CreateDomain(
        DomainId.ANY,
        0,
        new UUID(1, 2),
        flags,
        iommuOpts,
        maxVcpus,
        1023,
        -1,
        -1,
        grantOpts,
        new CreateDomain.Altp2m(0, 0),
        0,
        cpupool,
        arch);
  }

  private static Arguments row(String name, Consumer<NumberedMachine> behaviour) {
    return Arguments.of(name, behaviour);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("behaviours")
  void behaviour(String name, Consumer<NumberedMachine> behaviour) {
    try (SimulatedHost host = SimulatedHost.booted()) {
      assertThat(host.createGuest(HVM_HAP)).isEqualTo(D);

      behaviour.accept(new NumberedMachine(host));

      assertThat(new CoreInvariants(host.hypervisor()).violations()).as(name).isEmpty();
    }
  }
}
