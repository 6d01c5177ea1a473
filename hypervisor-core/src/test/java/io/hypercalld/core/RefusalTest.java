package io.hypercalld.core;

import static io.hypercalld.core.SimulatedHost.HVM_HAP;
import static io.hypercalld.core.SimulatedHost.IOMMU;
import static io.hypercalld.core.SimulatedHost.frames;
import static io.hypercalld.core.SimulatedHost.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.AcquireResource;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.AddToPhysmapBatch;
import io.hypercalld.core.hypercall.ClaimPages;
import io.hypercalld.core.hypercall.CurrentReservation;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.Exchange;
import io.hypercalld.core.hypercall.GetPageFrameTypes;
import io.hypercalld.core.hypercall.GetPagingMempoolSize;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.IncreaseReservation;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.MaximumGpfn;
import io.hypercalld.core.hypercall.MaximumReservation;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PauseDomain;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.hypercall.QueryDomain;
import io.hypercalld.core.hypercall.QueryMemoryMap;
import io.hypercalld.core.hypercall.RemoveFromPhysmap;
import io.hypercalld.core.hypercall.SetGrantVersion;
import io.hypercalld.core.hypercall.SetPagingMempoolSize;
import io.hypercalld.core.hypercall.SetTarget;
import io.hypercalld.core.hypercall.UnpauseDomain;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is refused leaves every bit of state as it was. Calls that answer with a count are refused
 * when it is 0.
 */
class RefusalTest {
  private static final DomainId DOM0 = DomainId.DOM0;
  private static final DomainId D = new DomainId(1);
  private static final DomainId NOBODY = new DomainId(77);
  private static final Word NONE = new Word(0);

  static Stream<Arguments> refused() {
    return Stream.of(
        row("createdomain id taken", Errno.EEXIST, h -> create(h, DOM0, D, HVM_HAP)),
        row("createdomain id 0", Errno.EEXIST, h -> create(h, DOM0, DOM0, HVM_HAP)),
        row("createdomain flags", Errno.EINVAL, h -> create(h, DOM0, new DomainId(9), 0x8000)),
        row("createdomain any, flags", Errno.EINVAL, h -> create(h, DOM0, DomainId.ANY, -1)),
        row("createdomain by guest", Errno.EPERM, h -> create(h, D, DomainId.ANY, HVM_HAP)),
        row("createdomain by nobody", Errno.ESRCH, h -> create(h, NOBODY, DomainId.ANY, HVM_HAP)),
        row(
            "createdomain without memory",
            Errno.ENOMEM,
            h -> {
              DomainId hog = new DomainId(3);
              h.limit(hog, 1 << 30);
              return create(h, DOM0, DomainId.ANY, HVM_HAP);
            }),
        row("destroydomain nobody", Errno.ESRCH, h -> destroy(h, DOM0, NOBODY)),
        row("destroydomain self", Errno.EINVAL, h -> destroy(h, DOM0, DOM0)),
        row("destroydomain SELF", Errno.ESRCH, h -> destroy(h, DOM0, DomainId.SELF)),
        row("destroydomain by guest", Errno.EPERM, h -> destroy(h, D, new DomainId(2))),
        row(
            "pausedomain self",
            Errno.EINVAL,
            h -> h.hypervisor().domainCalls().pauseDomain(DOM0, new PauseDomain(DOM0))),
        row(
            "unpausedomain not paused",
            Errno.EINVAL,
            h -> h.hypervisor().domainCalls().unpauseDomain(DOM0, new UnpauseDomain(DOM0))),
        row(
            "getdomaininfo nobody",
            Errno.ESRCH,
            h -> h.hypervisor().domainCalls().queryDomain(DOM0, new QueryDomain(NOBODY))),
        row(
            "getdomaininfo by guest",
            Errno.EPERM,
            h -> h.hypervisor().domainCalls().queryDomain(D, new QueryDomain(D))),
        row(
            "max_mem by guest",
            Errno.EPERM,
            h -> h.hypervisor().domainCalls().maxMem(D, new MaxMem(D, new Word(-1)))),
        row(
            "max_vcpus 2^63",
            Errno.EINVAL,
            h -> h.hypervisor().domainCalls().maxVcpus(DOM0, new MaxVcpus(D, Long.MIN_VALUE))),
        row("set_target self", Errno.EINVAL, h -> target(h, DOM0, D, D)),
        row("set_target PV", Errno.EOPNOTSUPP, h -> target(h, DOM0, D, new DomainId(2))),
        row("set_target by guest", Errno.EPERM, h -> target(h, D, D, DOM0)),
        row("getpageframeinfo 2^63", Errno.E2BIG, h -> pageTypes(h, Long.MIN_VALUE)),
        row("getpageframeinfo short", Errno.EFAULT, h -> pageTypes(h, 3)),
        row(
            "get_paging_mempool_size PV",
            Errno.EOPNOTSUPP,
            h ->
                h.hypervisor()
                    .domainCalls()
                    .getPagingMempoolSize(DOM0, new GetPagingMempoolSize(new DomainId(2)))),
        row("set_paging_mempool_size 1", Errno.EINVAL, h -> pool(h, 1)),
        row("set_paging_mempool_size 2^63", Errno.EINVAL, h -> pool(h, Long.MIN_VALUE)),
        row("set_paging_mempool_size 0", Errno.ENOMEM, h -> pool(h, 0)),
        row("set_paging_mempool_size 1 TiB", Errno.ENOMEM, h -> pool(h, 1L << 40)),
        row("populate SELF by nobody", Errno.ESRCH, h -> populate(h, NOBODY, 0, 1, NONE)),
        row("populate order 19", 0, h -> populate(h, DOM0, 19, 1, NONE)),
        row("populate order 2^63", 0, h -> populate(h, DOM0, Long.MIN_VALUE, 1, NONE)),
        row("populate order -1", 0, h -> populate(h, DOM0, -1, 1, NONE)),
        row("populate -1 extents", 0, h -> populate(h, DOM0, 0, -1, NONE)),
        row("populate 2^63 extents", 0, h -> populate(h, DOM0, 0, Long.MIN_VALUE, NONE)),
        row("populate no extents", 0, h -> populate(h, DOM0, 0, 0, NONE)),
        row("populate oneself on demand", 0, h -> populate(h, D, 0, 1, new Word(1 << 16))),
        row(
            "populate from extent 1 of 1",
            1,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .populatePhysmap(
                        DOM0,
                        new PopulatePhysmap(D, frames(0x4_0000), Optional.of(1L), 0, NONE, 1))),
        row("populate vnode", 0, h -> populate(h, DOM0, 0, 1, new Word(1 << 18))),
        row("populate node 3", 0, h -> populate(h, DOM0, 0, 1, new Word(3 << 8))),
        row(
            "populate above the limit",
            0,
            h -> h.hypervisor().memoryCalls().populatePhysmap(DOM0, populate(D, 10, 1, NONE))),
        row(
            "increase order 19",
            0,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .increaseReservation(
                        DOM0, new IncreaseReservation(D, frames(), Optional.of(1L), 19, NONE))),
        row("decrease hole", 0, h -> decrease(h, frames(0x5000))),
        row("decrease gfn 2^63", 0, h -> decrease(h, frames(Long.MIN_VALUE))),
        row("decrease gfn -1", 0, h -> decrease(h, frames(-1))),
        row(
            "decrease 2^63 of them",
            0,
            h -> decrease(h, GuestFrames.consecutive(new Gfn(0), Long.MIN_VALUE))),
        row("add gmfn from hole", Errno.EACCES, h -> add(h, 2, 0x4000, 0x2000)),
        row("add gmfn to -1", Errno.EINVAL, h -> add(h, 2, 3, -1)),
        row("add gmfn to 2^63", Errno.EINVAL, h -> add(h, 2, 3, Long.MIN_VALUE)),
        row("add gmfn to 2^36", Errno.EINVAL, h -> add(h, 2, 3, 1L << 36)),
        row("add gmfn from 2^63", Errno.EACCES, h -> add(h, 2, Long.MIN_VALUE, 3)),
        row("add grant_table 64", Errno.EINVAL, h -> add(h, 1, 64, 0x2000)),
        row("add grant_table to 2^36", Errno.EINVAL, h -> add(h, 1, 5, 1L << 36)),
        row("add gmfn_foreign", Errno.ENOSYS, h -> add(h, 4, 5, 0x2000)),
        row("claim again", Errno.EINVAL, RefusalTest::claim),
        row(
            "exchange HVM",
            Errno.EOPNOTSUPP,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .exchange(DOM0, new Exchange(given(D, 5), given(D, 5), 0, 0))),
        row(
            "exchange a frame that is not the domain's",
            Errno.EINVAL,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .exchange(
                        DOM0,
                        new Exchange(given(new DomainId(2), 5), given(new DomainId(2), 5), 0, 0))),
        row("acquire grant frames at 2^36", Errno.EINVAL, h -> acquire(h, 2, frames(1L << 36, 1))),
        row("acquire by a short list", Errno.EFAULT, h -> acquire(h, 3, frames(1, 2))),
        row(
            "memory_map unset",
            Errno.ENOSYS,
            h -> h.hypervisor().memoryCalls().memoryMap(DOM0, new QueryMemoryMap(1, 0))),
        row(
            "set_version 3",
            Errno.EINVAL,
            h -> h.hypervisor().grantCalls().tables().setVersion(D, new SetGrantVersion(3))),
        row("add space -1", Errno.EINVAL, h -> add(h, -1, 0, 0x2000)),
        row(
            "add without pages for tables",
            Errno.ENOMEM,
            h -> {
              h.domain(D).memory().pagingPool().orElseThrow().resize(14);
              return add(h, 2, 3, 0x4000_0000);
            }),
        row(
            "add to PV",
            Errno.EACCES,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .addToPhysmap(DOM0, new AddToPhysmap(new DomainId(2), 0, 2, NONE, new Gfn(5)))),
        row(
            "batch short list",
            Errno.EFAULT,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .addToPhysmapBatch(
                        DOM0,
                        new AddToPhysmapBatch(D, 2, 0, frames(1), frames(2, 3), Optional.of(2)))),
        row("remove hole", Errno.ENOENT, h -> remove(h, 0x5000)),
        row("remove 2^63", Errno.ENOENT, h -> remove(h, Long.MIN_VALUE)),
        row(
            "remove without pages for tables",
            Errno.ENOMEM,
            h -> {
              h.domain(D).memory().pagingPool().orElseThrow().resize(13);
              return remove(h, 5);
            }),
        row(
            "maximum_gpfn by another guest",
            Errno.EPERM,
            h -> h.hypervisor().memoryCalls().maximumGpfn(D, new MaximumGpfn(DOM0))),
        row(
            "current_reservation nobody",
            Errno.ESRCH,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .currentReservation(DOM0, new CurrentReservation(NOBODY))),
        row(
            "maximum_reservation IO",
            Errno.ESRCH,
            h ->
                h.hypervisor()
                    .memoryCalls()
                    .maximumReservation(DOM0, new MaximumReservation(DomainId.IO))));
  }

  private static Outcome create(SimulatedHost h, DomainId by, DomainId id, long flags) {
    return h.hypervisor().domainCalls().createDomain(by, request(id, flags));
  }

  private static Outcome destroy(SimulatedHost h, DomainId by, DomainId id) {
    return h.hypervisor().domainCalls().destroyDomain(by, new DestroyDomain(id));
  }

  private static Outcome target(SimulatedHost h, DomainId by, DomainId id, DomainId target) {
    return h.hypervisor().domainCalls().setTarget(by, new SetTarget(id, target));
  }

  private static Outcome pageTypes(SimulatedHost h, long num) {
    return h.hypervisor()
        .controlCalls()
        .pages()
        .getPageFrameTypes(
            DOM0, new GetPageFrameTypes(D, Optional.of(new Word(num)), frames(1, 2)));
  }

  private static Outcome pool(SimulatedHost h, long bytes) {
    return h.hypervisor()
        .domainCalls()
        .setPagingMempoolSize(DOM0, new SetPagingMempoolSize(D, new Word(bytes)));
  }

  private static PopulatePhysmap populate(DomainId id, long order, long count, Word flags) {
    return new PopulatePhysmap(id, frames(0x4_0000), Optional.of(count), order, flags);
  }

  private static Outcome populate(
      SimulatedHost h, DomainId by, long order, long count, Word flags) {
    h.limit(D, 1 << 20);
    return h.hypervisor().memoryCalls().populatePhysmap(by, populate(D, order, count, flags));
  }

  private static Outcome decrease(SimulatedHost h, GuestFrames frames) {
    return h.hypervisor()
        .memoryCalls()
        .decreaseReservation(DOM0, new DecreaseReservation(D, frames, Optional.empty(), 0, NONE));
  }

  private static Outcome add(SimulatedHost h, long space, long idx, long gpfn) {
    return h.hypervisor()
        .memoryCalls()
        .addToPhysmap(DOM0, new AddToPhysmap(D, 0, space, new Word(idx), new Gfn(gpfn)));
  }

  private static Outcome claim(SimulatedHost h) {
    return h.hypervisor()
        .memoryCalls()
        .claimPages(DOM0, new ClaimPages(D, Optional.empty(), 600, 0, NONE, 0));
  }

  private static Exchange.Reservation given(DomainId id, long frame) {
    return new Exchange.Reservation(id, frames(frame), Optional.empty(), 0, NONE);
  }

  private static Outcome acquire(SimulatedHost h, long count, GuestFrames list) {
    return h.hypervisor()
        .memoryCalls()
        .acquireResource(DOM0, new AcquireResource(D, 1, 0, count, 0, NONE, Optional.of(list), 0));
  }

  private static Outcome remove(SimulatedHost h, long gpfn) {
    return h.hypervisor()
        .memoryCalls()
        .removeFromPhysmap(DOM0, new RemoveFromPhysmap(D, new Gfn(gpfn)));
  }

  private static Arguments row(String name, Errno errno, Function<SimulatedHost, Outcome> call) {
    return row(name, -errno.number(), call);
  }

  private static Arguments row(String name, long ret, Function<SimulatedHost, Outcome> call) {
    return Arguments.of(name, ret, call);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void refusedCall_leavesTheDigestUnchanged(
      String name, long ret, Function<SimulatedHost, Outcome> call) {
    try (SimulatedHost host = SimulatedHost.booted()) {
      host.createGuest(HVM_HAP | IOMMU);
      host.create(new DomainId(2), 0);
      host.create(new DomainId(3), HVM_HAP);
      if (name.contains("without memory")) {
        fillMachine(host);
      }
      // Some rows prepare the machine first; done twice, the second begins where the first ended.
      tryCall(host, call);
      String before = host.digest();

      long answer = tryCall(host, call);

      assertThat(answer).as(name).isEqualTo(ret);
      assertThat(host.digest()).as(name).isEqualTo(before);
      assertThat(new CoreInvariants(host.hypervisor()).violations()).isEmpty();
    }
  }

  private static void fillMachine(SimulatedHost host) {
    DomainId hog = new DomainId(3);
    host.limit(hog, 1 << 30);
    for (int order : new int[] {18, 9, 0}) {
      long extents = host.hypervisor().allocator().freeFrames() >>> order;
      for (long i = 0; i < extents; i++) {
        host.hypervisor()
            .memoryCalls()
            .increaseReservation(
                DOM0, new IncreaseReservation(hog, frames(), Optional.of(1L), order, NONE));
      }
    }
    assertThat(host.hypervisor().allocator().freeFrames()).isZero();
  }

  private static long tryCall(SimulatedHost host, Function<SimulatedHost, Outcome> call) {
    try {
      return call.apply(host).ret();
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }
}
