package io.hypercalld.core;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.IOMMU;
import static io.hypercalld.core.SimulatedHost.ret;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.domain.VmEventRing;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.AccessOp;
import io.hypercalld.core.hypercall.GetHvmParam;
import io.hypercalld.core.hypercall.GetPodTarget;
import io.hypercalld.core.hypercall.GetSharingFreedPages;
import io.hypercalld.core.hypercall.GetSharingSharedPages;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PagingOp;
import io.hypercalld.core.hypercall.SetAccessRequired;
import io.hypercalld.core.hypercall.SetHvmParam;
import io.hypercalld.core.hypercall.SetPodTarget;
import io.hypercalld.core.hypercall.SharingOp;
import io.hypercalld.core.hypercall.VmEventOp;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What pagers, monitors and sharers are refused, and that a refusal leaves nothing behind. */
class FeatureRefusalTest {
  private static final DomainId DOM0 = DomainId.DOM0;

  /** A guest without IOMMU, with a pager and a monitor. */
  private static final DomainId D = new DomainId(1);

  /** A guest with an IOMMU. */
  private static final DomainId I = new DomainId(2);

  /** A PV guest. */
  private static final DomainId PV = new DomainId(3);

  /** A guest with which D may share. */
  private static final DomainId E = new DomainId(4);

  private static final DomainId NOBODY = new DomainId(77);
  private static final long PAGING = 1;
  private static final long MONITOR = 2;

  static Stream<Arguments> refused() {
    return Stream.of(pod(), events(), paging(), access(), sharing()).flatMap(s -> s);
  }

  private static Stream<Arguments> pod() {
    return Stream.of(
        row("target of nobody", Errno.ESRCH, h -> target(h, DOM0, NOBODY, 0)),
        row("target of PV", Errno.EINVAL, h -> target(h, DOM0, PV, 0)),
        row("target by a guest", Errno.EPERM, h -> target(h, D, DomainId.SELF, 0)),
        row("target above the limit", Errno.EINVAL, h -> target(h, DOM0, D, 1025)),
        row("target of 2^63", Errno.EINVAL, h -> target(h, DOM0, D, Long.MIN_VALUE)),
        row(
            "get target from the second extent",
            Errno.EINVAL,
            h -> h.hypervisor().featureCalls().pod().getTarget(DOM0, new GetPodTarget(D, 1))));
  }

  private static Stream<Arguments> events() {
    return Stream.of(
        row("listen to nobody", Errno.ESRCH, h -> event(h, DOM0, NOBODY, 0, PAGING)),
        row("listen by a guest", Errno.EPERM, h -> event(h, E, D, 0, PAGING)),
        row("listen to oneself", Errno.EINVAL, h -> event(h, DOM0, DOM0, 0, MONITOR)),
        row("listen to PV", Errno.EINVAL, h -> event(h, DOM0, PV, 0, MONITOR)),
        row("listen twice", Errno.EBUSY, h -> event(h, DOM0, D, 0, MONITOR)),
        row("page with an IOMMU", Errno.EMLINK, h -> event(h, DOM0, I, 0, PAGING)),
        row("no page for the ring", Errno.EOPNOTSUPP, h -> event(h, DOM0, E, 0, MONITOR)),
        row("mode 9", Errno.ENOSYS, h -> event(h, DOM0, D, 0, 9)),
        row("operation 9", Errno.ENOSYS, h -> event(h, DOM0, D, 9, MONITOR)),
        row("disable what is not", Errno.EINVAL, h -> event(h, DOM0, E, 1, MONITOR)),
        row("resume what is not", Errno.ENODEV, h -> event(h, DOM0, E, 2, MONITOR)),
        row(
            "page while memory waits",
            Errno.EXDEV,
            h -> {
              h.domain(E).features().populateOnDemand().mark(new Gfn(0x800), 0);
              return event(h, DOM0, E, 0, PAGING);
            }),
        row(
            "a ring in a hole",
            Errno.EINVAL,
            h -> {
              h.domain(E).features().events().params().set(HvmParams.MONITOR_RING_PFN, 0x700);
              return event(h, DOM0, E, 0, MONITOR);
            }),
        row("parameter 39", Errno.EINVAL, h -> param(h, DOM0, D, 39)),
        row("parameter of PV", Errno.EINVAL, h -> param(h, DOM0, PV, 1)),
        row("parameter of another", Errno.EPERM, h -> param(h, E, D, 0)),
        row("parameter not one's own", Errno.EPERM, h -> param(h, D, DomainId.SELF, 27)),
        row(
            "parameter twice",
            Errno.EEXIST,
            h -> {
              h.domain(D).features().events().params().set(32, 9);
              return param(h, DOM0, D, 32);
            }),
        row(
            "read a parameter not one's own",
            Errno.EPERM,
            h ->
                h.hypervisor()
                    .featureCalls()
                    .events()
                    .getParam(D, new GetHvmParam(DomainId.SELF, 27))),
        row(
            "no such event",
            Errno.ENOENT,
            h -> {
              h.domain(D).features().events().answer(99, false);
              return Outcome.done();
            }),
        row(
            "require a monitor of oneself",
            Errno.EPERM,
            h ->
                h.hypervisor()
                    .featureCalls()
                    .access()
                    .setRequired(DOM0, new SetAccessRequired(DOM0, 1))));
  }

  private static Stream<Arguments> paging() {
    return Stream.of(
        row("page nobody", Errno.ESRCH, h -> page(h, DOM0, NOBODY, 0, 5)),
        row("page oneself", Errno.EPERM, h -> page(h, D, D, 0, 5)),
        row("page by a guest", Errno.EPERM, h -> page(h, E, D, 0, 5)),
        row("page without a pager", Errno.ENODEV, h -> page(h, DOM0, E, 0, 5)),
        row("page PV", Errno.ENODEV, h -> page(h, DOM0, PV, 0, 5)),
        row("paging operation 3", Errno.ENOSYS, h -> page(h, DOM0, D, 3, 5)),
        row("nominate a hole", Errno.EBUSY, h -> page(h, DOM0, D, 0, 0x4000)),
        row("nominate the ring's page", Errno.EBUSY, h -> page(h, DOM0, D, 0, 0x1ff)),
        row("nominate out of reach", Errno.EBUSY, h -> page(h, DOM0, D, 0, -1)),
        row("evict RAM", Errno.EBUSY, h -> page(h, DOM0, D, 1, 5)),
        row("bring RAM back", Errno.ENOENT, h -> page(h, DOM0, D, 2, 5)),
        row(
            "bring back without contents",
            Errno.EINVAL,
            h -> {
              ret(() -> page(h, DOM0, D, 0, 6));
              ret(() -> page(h, DOM0, D, 1, 6));
              return page(h, DOM0, D, 2, 6);
            }),
        row(
            "bring back half a page",
            Errno.EINVAL,
            h ->
                h.hypervisor()
                    .featureCalls()
                    .paging()
                    .paging(
                        DOM0, new PagingOp(2, D, new Gfn(5), HexBytes.parse("00".repeat(99)), 0))));
  }

  private static Stream<Arguments> access() {
    return Stream.of(
        row("restrict nobody", Errno.ESRCH, h -> restrict(h, DOM0, NOBODY, 0, 1)),
        row("restrict oneself", Errno.EPERM, h -> restrict(h, D, D, 0, 1)),
        row("restrict PV", Errno.EINVAL, h -> restrict(h, DOM0, PV, 0, 1)),
        row("restrict by a guest", Errno.EPERM, h -> restrict(h, E, D, 0, 1)),
        row("restrict without a monitor", Errno.ENODEV, h -> restrict(h, DOM0, E, 0, 1)),
        row("access 12", Errno.EINVAL, h -> restrict(h, DOM0, D, 0, 12)),
        row("access operation 2", Errno.ENOSYS, h -> restrict(h, DOM0, D, 2, 1)),
        row("lists too short", Errno.EFAULT, h -> restrict(h, DOM0, D, 4, 1)));
  }

  private static Stream<Arguments> sharing() {
    return Stream.of(
        row("share of nobody", Errno.ESRCH, h -> share(h, DOM0, NOBODY, 0, 5)),
        row("share of oneself", Errno.EPERM, h -> share(h, D, D, 0, 5)),
        row("share by a guest", Errno.EPERM, h -> share(h, E, D, 0, 5)),
        row("share of PV", Errno.EOPNOTSUPP, h -> share(h, DOM0, PV, 0, 5)),
        row("share with an IOMMU", Errno.EXDEV, h -> share(h, DOM0, I, 0, 5)),
        row("nominate a hole to share", Errno.EINVAL, h -> share(h, DOM0, D, 0, 0x4000)),
        row("share pages that are not shared", Errno.ECHILD, h -> share(h, DOM0, D, 2, 5)),
        row("add a page that is not shared", Errno.ECHILD, h -> share(h, DOM0, D, 6, 5)),
        row("fork", Errno.ENOSYS, h -> share(h, DOM0, D, 9, 5)),
        row("share a range beyond the end", Errno.EINVAL, h -> share(h, DOM0, D, 8, 0x9999)),
        row(
            "freed pages from the second extent",
            Errno.EINVAL,
            h ->
                h.hypervisor()
                    .featureCalls()
                    .sharing()
                    .freedPages(DOM0, new GetSharingFreedPages(1))),
        row(
            "shared pages from the second extent",
            Errno.EINVAL,
            h ->
                h.hypervisor()
                    .featureCalls()
                    .sharing()
                    .sharedPages(DOM0, new GetSharingSharedPages(1))));
  }

  private static Outcome target(SimulatedHost h, DomainId by, DomainId id, long pages) {
    return h.hypervisor().featureCalls().pod().setTarget(by, new SetPodTarget(id, pages, 0));
  }

  private static Outcome event(SimulatedHost h, DomainId by, DomainId id, long op, long mode) {
    return h.hypervisor().featureCalls().events().control(by, new VmEventOp(id, op, mode));
  }

  private static Outcome param(SimulatedHost h, DomainId by, DomainId id, long index) {
    return h.hypervisor()
        .featureCalls()
        .events()
        .setParam(by, new SetHvmParam(id, index, new Word(1)));
  }

  private static Outcome page(SimulatedHost h, DomainId by, DomainId id, long op, long gfn) {
    return h.hypervisor()
        .featureCalls()
        .paging()
        .paging(by, new PagingOp(op, id, new Gfn(gfn), Optional.empty(), 0));
  }

  private static Outcome restrict(SimulatedHost h, DomainId by, DomainId id, long op, long access) {
    AccessOp args =
        new AccessOp(op, access, id, 1, new Gfn(5), SimulatedHost.frames(), List.of(), 0);
    return h.hypervisor().featureCalls().access().access(by, args);
  }

  private static Outcome share(SimulatedHost h, DomainId by, DomainId id, long op, long gfn) {
    Gfn page = new Gfn(gfn);
    Gfn first = new Gfn(0);
    return h.hypervisor()
        .featureCalls()
        .sharing()
        .sharing(
            by,
            new SharingOp(
                op,
                id,
                page,
                page,
                1,
                first,
                1,
                E,
                page,
                page,
                first,
                List.of(),
                0,
                0,
                new Mfn(0),
                0));
  }

  private static Arguments row(String name, Errno errno, Function<SimulatedHost, Outcome> call) {
    return Arguments.of(name, -errno.number(), call);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void refusedCall_leavesTheDigestUnchanged(
      String name, int ret, Function<SimulatedHost, Outcome> call) {
    try (SimulatedHost host = SimulatedHost.booted()) {
      host.createGuest(HVM_HAP);
      host.createGuest(HVM_HAP | IOMMU);
      host.create(PV, 0);
      host.createGuest(HVM_HAP);
      host.domain(D).features().events().params().set(HvmParams.PAGING_RING_PFN, 0x1ff);
      host.domain(D).features().events().params().set(HvmParams.MONITOR_RING_PFN, 0x1fe);
      host.domain(D).features().events().enable(VmEventRing.Kind.PAGING);
      host.domain(D).features().events().enable(VmEventRing.Kind.MONITOR);
      host.domain(D).features().sharing().enable();
      host.domain(E).features().sharing().enable();
      // Some rows prepare the machine first; done twice, the second begins where the first ended.
      ret(() -> call.apply(host));
      String before = host.digest();

      long answer = ret(() -> call.apply(host));

      assertThat(answer).as(name).isEqualTo(ret);
      assertThat(host.digest()).as(name).isEqualTo(before);
      assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    }
  }
}
