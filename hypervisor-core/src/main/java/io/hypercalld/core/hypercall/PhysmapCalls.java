package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.CallCounters;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;

/**
 * The operations that map a page of some kind at a guest frame. Confined to the machine thread.
 *
 * @see "xen/common/memory.c, xenmem_add_to_physmap and xenmem_add_to_physmap_batch"
 */
final class PhysmapCalls {
  private static final int SHARED_INFO = 0;
  private static final int GRANT_TABLE = 1;
  private static final int GMFN = 2;
  private static final int GMFN_RANGE = 3;
  private static final int GMFN_FOREIGN = 4;
  private static final int DEV_MMIO = 5;

  private final DomainTable domains;
  private final CallCounters counters;

  PhysmapCalls(DomainTable domains, CallCounters counters) {
    this.domains = domains;
    this.counters = counters;
  }

  Outcome add(Domain caller, AddToPhysmap args) {
    if (args.space() == GMFN_FOREIGN) {
      throw Refusal.of(Errno.ENOSYS, "space gmfn_foreign is for add_to_physmap_batch");
    }
    Domain domain = target(caller, args.domid(), args.space());
    requireNumber(args.gpfn());
    if (args.space() == GMFN_RANGE) {
      moveRange(caller, domain, args);
    } else {
      map(domain, args.space(), args.idx().value(), args.gpfn());
    }
    return Outcome.done();
  }

  Outcome addBatch(Domain caller, AddToPhysmapBatch args) {
    if (args.space() == GMFN_RANGE) {
      throw Refusal.of(Errno.EOPNOTSUPP, "space gmfn_range is for add_to_physmap");
    }
    Domain domain = target(caller, args.domid(), args.space());
    long size = args.size().map(Long::valueOf).orElseGet(args.gpfns()::count);
    if (size < 0 || args.gpfns().count() < size || args.idxs().count() < size) {
      throw Refusal.of(Errno.EFAULT, "a list is shorter than %d", size);
    }
    if (args.space() == DEV_MMIO && args.foreignDomid() != 0) {
      throw Refusal.of(Errno.EOPNOTSUPP, "space dev_mmio has no foreign domain");
    }
    if (args.space() == GMFN_FOREIGN && size > 0) {
      throw Refusal.of(Errno.ENOSYS, "mapping another domain's pages is not simulated");
    }
    Steps steps = new Steps(counters, caller.calls());
    List<Integer> errors = new ArrayList<>();
    for (long i = 0; i < size; i++) {
      Gfn gpfn = new Gfn(args.gpfns().at(i));
      requireNumber(gpfn);
      errors.add(tryMap(domain, args.space(), args.idxs().at(i), gpfn));
      steps.handled(1);
    }
    steps.finish();
    return Outcome.returning(new BatchErrors(errors));
  }

  private int tryMap(Domain domain, long space, long idx, Gfn gpfn) {
    try {
      map(domain, space, idx, gpfn);
      return 0;
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }

  private Domain target(Domain caller, DomainId domid, long space) {
    Domain domain = domains.any(caller, domid);
    if (!domain.type().isTranslated()) {
      throw Refusal.of(Errno.EACCES, "%s is not translated", domain.id());
    }
    if (space == DEV_MMIO && !(caller == domain && domain.isHardwareDomain())) {
      throw Refusal.of(Errno.EACCES, "space dev_mmio is the hardware domain's");
    }
    Privilege.TARGET.demand(caller, domain);
    return domain;
  }

  private static void requireNumber(Gfn gpfn) {
    if (gpfn.equals(Gfn.INVALID)) {
      throw Refusal.of(Errno.EINVAL, "%s is no guest frame", gpfn);
    }
  }

  private static void map(Domain domain, long space, long idx, Gfn gpfn) {
    PhysicalMap map = domain.physicalMap().orElseThrow();
    if (space == SHARED_INFO && idx == 0) {
      map.put(domain.sharedInfo(), gpfn);
    } else if (space == GMFN) {
      map.move(new Gfn(idx), gpfn);
    } else if (space == GRANT_TABLE) {
      throw Refusal.of(Errno.ENOSYS, "grant tables are not simulated");
    } else {
      throw Refusal.of(Errno.EINVAL, "space %d has no page 0x%x", space, idx);
    }
  }

  /** From the end that keeps pages that are still to be moved from being moved over. */
  private void moveRange(Domain caller, Domain domain, AddToPhysmap args) {
    long size = args.size();
    long from = args.idx().value();
    long to = args.gpfn().value();
    if (wraps(from, size) || wraps(to, size)) {
      throw Refusal.of(Errno.EOVERFLOW, "%d pages from there wrap around", size);
    }
    boolean downward =
        Long.compareUnsigned(to, from) > 0 && Long.compareUnsigned(to - from, size) < 0;
    PhysicalMap map = domain.physicalMap().orElseThrow();
    Steps steps = new Steps(counters, caller.calls());
    for (long i = 0; i < size; i++) {
      long page = downward ? size - 1 - i : i;
      map.move(new Gfn(from + page), new Gfn(to + page));
      steps.handled(1);
    }
    steps.finish();
  }

  private static boolean wraps(long first, long size) {
    return Long.compareUnsigned(first + size, first) < 0;
  }
}
