package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameAllocator;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mTable;
import java.util.function.ToLongFunction;

/**
 * The memory_op hypercalls. Confined to the machine thread.
 *
 * <p>Arguments and errnos are said where each call's record is.
 *
 * @see "xen/common/memory.c, do_memory_op"
 */
public final class MemoryCalls {
  private final DomainTable domains;
  private final ReservationCalls reservations;
  private final PhysmapCalls physmap;
  private final ExchangeCalls exchanges;
  private final ResourceCalls resources;
  private final AddressMapCalls addressMaps;

  public MemoryCalls(FrameAllocator allocator, DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.reservations = new ReservationCalls(allocator, domains, continuations);
    this.physmap = new PhysmapCalls(domains, continuations);
    this.exchanges = new ExchangeCalls(allocator, domains, continuations);
    this.resources = new ResourceCalls(domains, continuations);
    this.addressMaps = new AddressMapCalls(allocator.memory().map(), domains);
  }

  /** Where the pages come from that {@code acquire_resource} maps. */
  public ResourceCalls resources() {
    return resources;
  }

  /** Has the ranges that devices need mapped where they are come from whoever knows them. */
  public void reservedBy(ReservedDeviceMemory source) {
    addressMaps.reservedBy(source);
  }

  public Outcome populatePhysmap(DomainId caller, PopulatePhysmap args) {
    return reservations.populate(domains.caller(caller), args);
  }

  public Outcome increaseReservation(DomainId caller, IncreaseReservation args) {
    return reservations.increase(domains.caller(caller), args);
  }

  public Outcome decreaseReservation(DomainId caller, DecreaseReservation args) {
    return reservations.decrease(domains.caller(caller), args);
  }

  public Outcome addToPhysmap(DomainId caller, AddToPhysmap args) {
    return physmap.add(domains.caller(caller), args);
  }

  public Outcome addToPhysmapBatch(DomainId caller, AddToPhysmapBatch args) {
    return physmap.addBatch(domains.caller(caller), args);
  }

  public Outcome removeFromPhysmap(DomainId caller, RemoveFromPhysmap args) {
    Extents.requireSingleShot(args.startExtent());
    Domain by = domains.caller(caller);
    Domain domain = domains.any(by, args.domid());
    PhysicalMap map =
        domain
            .physicalMap()
            .orElseThrow(() -> Refusal.of(Errno.EACCES, "%s is not translated", domain.id()));
    Privilege.TARGET.demand(by, domain);
    map.remove(args.gpfn());
    return Outcome.done();
  }

  public Outcome exchange(DomainId caller, Exchange args) {
    return exchanges.exchange(domains.caller(caller), args);
  }

  public Outcome acquireResource(DomainId caller, AcquireResource args) {
    return resources.acquire(domains.caller(caller), args);
  }

  public Outcome claimPages(DomainId caller, ClaimPages args) {
    Extents.requireSingleShot(args.startExtent());
    Domain by = domains.caller(caller);
    if (args.extentStart().isPresent() || args.extentOrder() != 0 || args.memFlags().value() != 0) {
      throw Refusal.of(Errno.EINVAL, "a claim has no list, order or flags");
    }
    Domain domain =
        domains
            .find(args.domid())
            .orElseThrow(() -> Refusal.of(Errno.EINVAL, "there is no domain %s", args.domid()));
    Privilege.PRIV.demand(by, domain);
    domain.reservation().claim(args.nrExtents());
    return Outcome.done();
  }

  public Outcome maximumGpfn(DomainId caller, MaximumGpfn args) {
    Extents.requireSingleShot(args.startExtent());
    return query(
        caller,
        args.domid(),
        domain -> domain.findP2m().map(P2mTable::maxMappedGfn).map(Gfn::value).orElse(0L));
  }

  public Outcome currentReservation(DomainId caller, CurrentReservation args) {
    Extents.requireSingleShot(args.startExtent());
    return query(caller, args.domid(), domain -> domain.reservation().totalPages());
  }

  public Outcome maximumReservation(DomainId caller, MaximumReservation args) {
    Extents.requireSingleShot(args.startExtent());
    return query(caller, args.domid(), domain -> domain.reservation().maxPages());
  }

  private Outcome query(DomainId caller, DomainId domid, ToLongFunction<Domain> answer) {
    Domain by = domains.caller(caller);
    Domain domain = domains.any(by, domid);
    Privilege.TARGET.demand(by, domain);
    return Outcome.count(answer.applyAsLong(domain));
  }

  public Outcome maximumRamPage(DomainId caller, MaximumRamPage args) {
    domains.caller(caller);
    return addressMaps.maximumRamPage(args);
  }

  public Outcome machphysMapping(DomainId caller, MachphysMapping args) {
    return addressMaps.machphysMapping(domains.caller(caller), args);
  }

  public Outcome machphysCompatMfnList(DomainId caller, MachphysCompatMfnList args) {
    domains.caller(caller);
    return addressMaps.machphysCompatMfnList(args);
  }

  public Outcome vnumaInfo(DomainId caller, GetVnumaInfo args) {
    return addressMaps.vnumaInfo(domains.caller(caller), args);
  }

  public Outcome memoryMap(DomainId caller, QueryMemoryMap args) {
    return addressMaps.queryMemoryMap(domains.caller(caller), args);
  }

  public Outcome setMemoryMap(DomainId caller, SetMemoryMap args) {
    return addressMaps.setMemoryMap(domains.caller(caller), args);
  }

  public Outcome machineMemoryMap(DomainId caller, MachineMemoryMap args) {
    return addressMaps.machineMemoryMap(domains.caller(caller), args);
  }

  public Outcome reservedDeviceMemoryMap(DomainId caller, ReservedDeviceMemoryMap args) {
    domains.caller(caller);
    return addressMaps.reservedDeviceMemory(args);
  }
}
