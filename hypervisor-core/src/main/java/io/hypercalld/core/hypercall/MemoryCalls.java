package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.CallCounters;
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

  public MemoryCalls(FrameAllocator allocator, DomainTable domains, CallCounters counters) {
    this.domains = domains;
    this.reservations = new ReservationCalls(allocator, domains, counters);
    this.physmap = new PhysmapCalls(domains, counters);
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

  public Outcome maximumGpfn(DomainId caller, MaximumGpfn args) {
    return query(
        caller,
        args.domid(),
        domain -> domain.findP2m().map(P2mTable::maxMappedGfn).map(Gfn::value).orElse(0L));
  }

  public Outcome currentReservation(DomainId caller, CurrentReservation args) {
    return query(caller, args.domid(), Domain::totalPages);
  }

  public Outcome maximumReservation(DomainId caller, MaximumReservation args) {
    return query(caller, args.domid(), Domain::maxPages);
  }

  private Outcome query(DomainId caller, DomainId domid, ToLongFunction<Domain> answer) {
    Domain by = domains.caller(caller);
    Domain domain = domains.any(by, domid);
    Privilege.TARGET.demand(by, domain);
    return Outcome.count(answer.applyAsLong(domain));
  }
}
