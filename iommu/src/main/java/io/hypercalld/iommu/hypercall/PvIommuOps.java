package io.hypercalld.iommu.hypercall;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.hypercall.Written;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code iommu_op(ops[], count)} as of 2016: a list of operations on the one space that the
 * caller's devices have, from the first that maps on. Each has its own status; units are told to
 * forget what was unmapped once, after the last. A list may be preempted between two of them: those
 * before have taken effect then, flush and all, and those that remain are another call.
 *
 * <ul>
 *   <li>{@code ENOSYS} the caller is neither dom0 nor a driver domain, or has the generation of
 *       2024
 *   <li>{@code EINVAL} {@code count} is negative, as one from 2^31 on is to C
 *   <li>{@code EFAULT} the list is shorter than {@code count}
 *   <li>{@code EPERM} no unit translates for the caller
 * </ul>
 *
 * Status of an operation: {@code -EPERM} something is mapped at the BFN already, the page may not
 * be written as asked, the mapping is of the other kind or another {@code ioserver}'s, or the other
 * domain is PV or the caller; {@code -ENXIO} no such domain; {@code -ENOENT} no mapping, or no page
 * at the guest frame; {@code -ENOSPC} an order; {@code -EIO} the driver could not, {@code -ENODEV}
 * no such operation.
 *
 * @param count how many are done; all of them where it is left out
 * @see "spec/documents.md S1-D21"
 */
public record PvIommuOps(List<PvIommuOp> ops, @OrElse("null") Optional<Long> count)
    implements Hypercall {
  static final int QUERY_CAPS = 1;
  static final int MAP_PAGE = 2;
  static final int UNMAP_PAGE = 3;
  static final int MAP_FOREIGN_PAGE = 4;
  static final int LOOKUP_FOREIGN_PAGE = 5;
  static final int UNMAP_FOREIGN_PAGE = 6;

  public PvIommuOps {
    ops = List.copyOf(ops);
  }

  /** Those from one on, up to another. */
  PvIommuOps between(int first, int end) {
    return new PvIommuOps(ops.subList(first, end), Optional.empty());
  }

  /**
   * One operation.
   *
   * @param subopId query_caps 1, map_page 2, unmap_page 3, map_foreign_page 4, lookup_foreign_page
   *     5, unmap_foreign_page 6
   * @param flags readable 1, writeable 2, no_ref_cnt 4; page order in bits 15:10
   * @param bfn frame as devices see it
   * @param gfn guest frame of the caller, or of {@code domid} for a foreign page
   * @param ioserver for whom a foreign page is mapped
   */
  public record PvIommuOp(
      int subopId,
      @OrElse("0") long flags,
      @OrElse("0") Gfn bfn,
      @OrElse("0") Gfn gfn,
      @OrElse("0") DomainId domid,
      @OrElse("0") int ioserver) {}

  /**
   * What became of one.
   *
   * @param status 0 or a negative errno
   * @param flags of query_caps: map_cap 1, map_all_mfns 2
   * @param bfn of lookup_foreign_page
   */
  public record Status(int status, Optional<Long> flags, Optional<Gfn> bfn) {
    static Status of(int status) {
      return new Status(status, Optional.empty(), Optional.empty());
    }
  }

  /** Their statuses in order. */
  public record Statuses(List<Status> ops) implements Written {
    public Statuses {
      ops = List.copyOf(ops);
    }

    @Override
    public Statuses after(Written earlier) {
      List<Status> all = new ArrayList<>(((Statuses) earlier).ops);
      all.addAll(ops);
      return new Statuses(all);
    }
  }
}
