package io.hypercalld.core;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.CreateDomain;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.MaxMem;
import io.hypercalld.core.hypercall.MaxVcpus;
import io.hypercalld.core.hypercall.NewDomain;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * A machine of 8 GiB with a hypervisor and dom0, and the words that tests need. Confined to the
 * test's thread.
 */
public final class SimulatedHost implements AutoCloseable {
  /** {@code createdomain} flags of a PVH domain with hardware-assisted paging. */
  public static final long HVM_HAP = 0x3;

  public static final long IOMMU = 0x20;

  /** Pages of the domain that {@link #createGuest} makes. */
  public static final long GUEST_PAGES = 512;

  private static final long GIB = 1L << 30;

  private final Hypervisor hypervisor;

  public SimulatedHost() {
    this(8 * GIB);
  }

  public SimulatedHost(long bytes) {
    this(new Hypervisor(HypervisorSettings.of(MemoryMap.of(bytes, 2 * GIB, List.of()))));
  }

  public SimulatedHost(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  /** A machine whose dom0 runs. */
  public static SimulatedHost booted() {
    SimulatedHost host = new SimulatedHost();
    host.hypervisor.bootDom0();
    return host;
  }

  public Hypervisor hypervisor() {
    return hypervisor;
  }

  /** A PVH domain without memory or vCPUs. */
  public DomainId create(long flags) {
    return create(DomainId.ANY, flags);
  }

  public DomainId create(DomainId id, long flags) {
    return create(id, flags, 0);
  }

  public DomainId create(DomainId id, long flags, long iommuOptions) {
    Outcome outcome =
        hypervisor.domainCalls().createDomain(DomainId.DOM0, request(id, flags, iommuOptions));
    return outcome instanceof Outcome.Success(long _, NewDomain(DomainId created))
        ? created
        : fail(outcome);
  }

  private static DomainId fail(Outcome outcome) {
    throw new AssertionError(outcome);
  }

  public static CreateDomain request(DomainId id, long flags) {
    return request(id, flags, 0);
  }

  private static CreateDomain request(DomainId id, long flags, long iommuOptions) {
    return new CreateDomain(
        id,
        0,
        new UUID(0, 0),
        flags,
        iommuOptions,
        2,
        1023,
        -1,
        -1,
        2,
        new CreateDomain.Altp2m(0, 0),
        0,
        0,
        Optional.empty());
  }

  /** A domain as most tests want it: 2 vCPUs, at most 1024 pages, one leaf of 2 MiB. */
  public DomainId createGuest(long flags) {
    DomainId id = create(flags);
    hypervisor.domainCalls().maxVcpus(DomainId.DOM0, new MaxVcpus(id, 2));
    limit(id, 1024);
    populate(id, 9, 0);
    return id;
  }

  public void limit(DomainId id, long pages) {
    hypervisor.domainCalls().maxMem(DomainId.DOM0, new MaxMem(id, new Word(pages * 4)));
  }

  public Domain domain(DomainId id) {
    return hypervisor.domains().byId(id);
  }

  public P2mLookup lookup(DomainId id, long gfn) {
    return domain(id).p2m().lookup(new Gfn(gfn));
  }

  public long populate(DomainId id, int order, long... gfns) {
    return populate(id, order, frames(gfns));
  }

  public long populate(DomainId id, int order, GuestFrames frames) {
    return hypervisor
        .memoryCalls()
        .populatePhysmap(
            DomainId.DOM0, new PopulatePhysmap(id, frames, Optional.empty(), order, new Word(0)))
        .ret();
  }

  public long decrease(DomainId id, int order, long... gfns) {
    return hypervisor
        .memoryCalls()
        .decreaseReservation(
            DomainId.DOM0,
            new DecreaseReservation(id, frames(gfns), Optional.empty(), order, new Word(0)))
        .ret();
  }

  /** {@code add_to_physmap} with space gmfn. */
  public long move(DomainId id, long from, long to) {
    return ret(
        () ->
            hypervisor
                .memoryCalls()
                .addToPhysmap(
                    DomainId.DOM0, new AddToPhysmap(id, 0, 2, new Word(from), new Gfn(to))));
  }

  public long destroy(DomainId id) {
    return ret(() -> hypervisor.domainCalls().destroyDomain(DomainId.DOM0, new DestroyDomain(id)));
  }

  public static GuestFrames frames(long... numbers) {
    Gfn[] frames = new Gfn[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      frames[i] = new Gfn(numbers[i]);
    }
    return GuestFrames.of(frames);
  }

  /** What Xen would return. */
  public static long ret(Supplier<Outcome> call) {
    try {
      return call.get().ret();
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }

  /** The errno that the call is refused with. */
  public static Errno errno(Supplier<Outcome> call) {
    try {
      throw new AssertionError("not refused: " + call.get());
    } catch (Refusal refusal) {
      return refusal.errno();
    }
  }

  public String digest() {
    return digest(hypervisor);
  }

  public static String digest(Digestible part) {
    return new StateDigest().put(part).finish();
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
