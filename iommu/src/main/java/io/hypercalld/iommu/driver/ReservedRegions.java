package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mType;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.platform.ReservedRegion;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * The reserved memory regions (RMRR) that a domain's devices need to find at their machine
 * addresses, counted, since devices may share one. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/p2m.c, set_identity_p2m_mapping"
 */
final class ReservedRegions implements Digestible {
  private final Domain domain;
  private final Map<ReservedRegion, Integer> references =
      new TreeMap<>(
          Comparator.comparingLong(ReservedRegion::base).thenComparingLong(ReservedRegion::limit));

  ReservedRegions(Domain domain) {
    this.domain = domain;
  }

  /**
   * Maps the region one to one, or counts another user of it.
   *
   * @param relaxed whether pages that hold something else already are left as they are
   * @throws Refusal EADDRINUSE it overlaps a different region of the domain; EBUSY a page of it
   *     holds something else; ENOMEM no frame for a table
   */
  void acquire(Transaction steps, ReservedRegion region, boolean relaxed) {
    requireFree(region, relaxed);
    if (!references.containsKey(region)) {
      references.put(region, 0);
      steps.onFailure(() -> references.remove(region));
      for (long frame : frames(region).toArray()) {
        map(steps, new Gfn(frame));
      }
    }
    references.merge(region, 1, Integer::sum);
    steps.onFailure(() -> references.merge(region, -1, Integer::sum));
  }

  /**
   * Refuses as {@link #acquire} would, short of memory.
   *
   * @throws Refusal EADDRINUSE, EBUSY
   */
  void requireFree(ReservedRegion region, boolean relaxed) {
    if (references.containsKey(region)) {
      return;
    }
    references.keySet().stream()
        .filter(other -> other.base() <= region.limit() && region.base() <= other.limit())
        .findFirst()
        .ifPresent(
            other -> {
              throw Refusal.of(
                  Errno.EADDRINUSE,
                  "reserved region 0x%x-0x%x overlaps 0x%x-0x%x, which %s has mapped",
                  region.base(),
                  region.limit(),
                  other.base(),
                  other.limit(),
                  domain.id());
            });
    if (!relaxed) {
      frames(region).mapToObj(Gfn::new).forEach(this::requireFree);
    }
  }

  private void requireFree(Gfn gfn) {
    P2mLookup found = domain.p2m().lookup(gfn);
    if (!isHole(found) && !isIdentity(gfn, found)) {
      throw Refusal.of(
          Errno.EBUSY,
          "gfn %s of %s, in a reserved region, holds %s",
          gfn,
          domain.id(),
          found.type());
    }
  }

  private void map(Transaction steps, Gfn gfn) {
    if (isHole(domain.p2m().lookup(gfn))) {
      domain.p2m().set(gfn, new Mfn(gfn.value()), PageSize.SIZE_4K, P2mType.MMIO_DIRECT);
      steps.onFailure(() -> unmap(gfn));
    }
  }

  /**
   * Counts one user less; the last one takes the mapping with it. No effect where there is none.
   */
  void release(ReservedRegion region) {
    Integer users = references.get(region);
    if (users == null) {
      return;
    }
    if (users > 1) {
      references.put(region, users - 1);
      return;
    }
    references.remove(region);
    frames(region).mapToObj(Gfn::new).filter(this::isIdentity).forEach(this::unmap);
  }

  private void unmap(Gfn gfn) {
    domain.p2m().set(gfn, Mfn.INVALID, PageSize.SIZE_4K, P2mType.INVALID);
  }

  private boolean isIdentity(Gfn gfn) {
    return isIdentity(gfn, domain.p2m().lookup(gfn));
  }

  private static boolean isIdentity(Gfn gfn, P2mLookup found) {
    return found.type() == P2mType.MMIO_DIRECT && found.mfn().value() == gfn.value();
  }

  private static boolean isHole(P2mLookup found) {
    return found.type() == P2mType.MMIO_DM || found.type() == P2mType.INVALID;
  }

  private static LongStream frames(ReservedRegion region) {
    long first = region.base() >>> PageSize.SHIFT_4K;
    return LongStream.range(first, first + region.pages());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(references.size());
    references.forEach((region, users) -> digest.put(region.base()).put(region.limit()).put(users));
  }
}
