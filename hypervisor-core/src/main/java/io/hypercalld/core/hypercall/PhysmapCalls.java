package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.ForeignMap;
import io.hypercalld.core.domain.GrantTable;
import io.hypercalld.core.domain.PhysicalMap;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
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

  /** {@code XENMAPIDX_grant_table_status}. */
  private static final BitField GRANT_STATUS = BitField.bit("status", 31);

  /** Largest number that the member {@code size} holds. */
  private static final long MAX_SIZE = 0xffff;

  private static final int DOMID_MASK = 0xffff;

  private final DomainTable domains;
  private final Continuations continuations;

  PhysmapCalls(DomainTable domains, Continuations continuations) {
    this.domains = domains;
    this.continuations = continuations;
  }

  Outcome add(Domain caller, AddToPhysmap args) {
    requireEncodable(args.startExtent());
    if (args.space() == GMFN_FOREIGN) {
      throw Refusal.of(Errno.ENOSYS, "space gmfn_foreign is for add_to_physmap_batch");
    }
    Domain domain = target(caller, args.domid(), args.space());
    requireNumber(args.gpfn());
    if (args.space() == GMFN_RANGE) {
      return moveRange(caller, domain, args);
    }
    map(domain, args.space(), args.idx().value(), args.gpfn());
    return Outcome.done();
  }

  Outcome addBatch(Domain caller, AddToPhysmapBatch args) {
    requireEncodable(args.startExtent());
    if (args.space() == GMFN_RANGE) {
      throw Refusal.of(Errno.EOPNOTSUPP, "space gmfn_range is for add_to_physmap");
    }
    Domain domain = target(caller, args.domid(), args.space());
    long size = args.size().map(Long::valueOf).orElseGet(args.gpfns()::count);
    if (size == 0 && args.startExtent() == 0) {
      return Outcome.returning(new BatchErrors(List.of()));
    }
    if (args.startExtent() >= size) {
      throw Refusal.of(Errno.EILSEQ, "%d of %d elements were done", args.startExtent(), size);
    }
    if (args.gpfns().count() < size || args.idxs().count() < size) {
      throw Refusal.of(Errno.EFAULT, "a list is shorter than %d", size);
    }
    if (args.space() == DEV_MMIO && args.foreignDomid() != 0) {
      throw Refusal.of(Errno.EOPNOTSUPP, "space dev_mmio has no foreign domain");
    }
    Steps steps = continuations.begin(caller);
    List<Integer> errors = new ArrayList<>();
    for (long i = args.startExtent(); i < size; i++) {
      requireNumber(new Gfn(args.gpfns().at(i)));
      errors.add(tryMap(caller, domain, args, i));
      if (steps.handled(1) && i + 1 < size) {
        return Outcome.preempted(args.startingAt(i + 1), new BatchErrors(errors));
      }
    }
    steps.finish();
    return Outcome.returning(new BatchErrors(errors));
  }

  private int tryMap(Domain caller, Domain domain, AddToPhysmapBatch args, long element) {
    long idx = args.idxs().at(element);
    Gfn gpfn = new Gfn(args.gpfns().at(element));
    try {
      if (args.space() == GMFN_FOREIGN) {
        mapForeign(caller, domain, args.foreignDomid(), new Gfn(idx), gpfn);
      } else {
        map(domain, args.space(), idx, gpfn);
      }
      return 0;
    } catch (Refusal refusal) {
      return -refusal.errno().number();
    }
  }

  private void mapForeign(Domain caller, Domain mapper, int foreignDomid, Gfn source, Gfn gpfn) {
    ForeignMap.requireOneView(mapper, Errno.EPERM);
    DomainId foreign = new DomainId(foreignDomid & DOMID_MASK);
    if (foreign.equals(DomainId.XEN)) {
      Privilege.PRIV.demand(mapper, mapper);
      throw Refusal.of(Errno.EINVAL, "%s gives nobody its pages", foreign);
    }
    Domain owner = domains.remote(caller, foreign);
    if (owner == mapper) {
      throw Refusal.of(Errno.EINVAL, "%s is not foreign to itself", foreign);
    }
    Privilege.TARGET.demand(mapper, owner);
    mapper.physicalMap().orElseThrow().foreign().add(owner, source, gpfn);
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

  private static void requireEncodable(long done) {
    if (done < 0 || done > MAX_SIZE) {
      throw Refusal.of(Errno.EDOM, "%d pages cannot have been done", done);
    }
  }

  private static void requireNumber(Gfn gpfn) {
    if (gpfn.equals(Gfn.INVALID)) {
      throw Refusal.of(Errno.EINVAL, "%s is no guest frame", gpfn);
    }
  }

  private static void map(Domain domain, long space, long idx, Gfn gpfn) {
    PhysicalMap map = domain.physicalMap().orElseThrow();
    if (space == SHARED_INFO && idx == 0) {
      map.put(domain.memory().sharedInfo(), gpfn);
    } else if (space == GRANT_TABLE) {
      map.put(grantFrame(map, domain.memory().grantTable(), idx, gpfn), gpfn);
    } else if (space == GMFN) {
      map.move(new Gfn(idx), gpfn);
    } else {
      throw Refusal.of(Errno.EINVAL, "space %d has no page 0x%x", space, idx);
    }
  }

  // The table does not shrink: it may only grow for a page that will be mapped.
  private static Mfn grantFrame(PhysicalMap map, GrantTable table, long idx, Gfn gpfn) {
    boolean status = table.version() == 2 && GRANT_STATUS.isSet(idx);
    long index = status ? GRANT_STATUS.clear(idx) : idx;
    long most = status ? table.maxStatusFrames() : table.maxFrames();
    if (Long.compareUnsigned(index, most) < 0) {
      map.requireTarget(gpfn);
    }
    return status ? table.statusFrame(index) : table.sharedFrame(index);
  }

  /** From the end that keeps pages that are still to be moved from being moved over. */
  private Outcome moveRange(Domain caller, Domain domain, AddToPhysmap args) {
    long size = args.size();
    long from = args.idx().value();
    long to = args.gpfn().value();
    if (size < args.startExtent()) {
      throw Refusal.of(Errno.EILSEQ, "%d of %d pages were moved", args.startExtent(), size);
    }
    if (wraps(from, size) || wraps(to, size)) {
      throw Refusal.of(Errno.EOVERFLOW, "%d pages from there wrap around", size);
    }
    boolean downward =
        Long.compareUnsigned(to, from) > 0 && Long.compareUnsigned(to - from, size) < 0;
    PhysicalMap map = domain.physicalMap().orElseThrow();
    Steps steps = continuations.begin(caller);
    for (long i = args.startExtent(); i < size; i++) {
      long page = downward ? size - 1 - i : i;
      map.move(new Gfn(from + page), new Gfn(to + page));
      if (steps.handled(1) && i + 1 < size) {
        return Outcome.preempted(args.startingAt(i + 1));
      }
    }
    steps.finish();
    return Outcome.done();
  }

  private static boolean wraps(long first, long size) {
    return Long.compareUnsigned(first + size, first) < 0;
  }
}
