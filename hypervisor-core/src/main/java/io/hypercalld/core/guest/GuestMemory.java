package io.hypercalld.core.guest;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mTable;
import io.hypercalld.core.p2m.P2mType;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A guest's memory as the hypervisor reads and writes it, by guest-physical address. Confined to
 * the machine thread.
 */
public final class GuestMemory {
  private static final Set<P2mType> READABLE =
      Set.of(
          P2mType.RAM_RW,
          P2mType.RAM_LOGDIRTY,
          P2mType.RAM_RO,
          P2mType.RAM_SHARED,
          P2mType.IOREQ_SERVER,
          P2mType.IOREQ_SERVER1,
          P2mType.IOREQ_SERVER2,
          P2mType.IOREQ_SERVER3,
          P2mType.GRANT_MAP_RW,
          P2mType.GRANT_MAP_RO,
          P2mType.MAP_FOREIGN);
  private static final Set<P2mType> WRITABLE =
      Set.copyOf(
          EnumSet.of(
              P2mType.RAM_RW, P2mType.RAM_LOGDIRTY, P2mType.GRANT_MAP_RW, P2mType.MAP_FOREIGN));

  private static final Set<P2mType> WRITABLE_BYPASSING =
      Stream.concat(WRITABLE.stream(), P2mType.IOREQ.stream())
          .collect(Collectors.toUnmodifiableSet());

  private final MachineMemory memory;

  public GuestMemory(MachineMemory memory) {
    this.memory = memory;
  }

  /** What is done with the part of a range that lies in one page. */
  private interface PagePart {
    void at(long maddr, int offset, int length);
  }

  /**
   * Copies a guest's bytes.
   *
   * @param gpa address of the first
   * @throws Refusal EINVAL for a range that is empty or out of reach; EFAULT where a page of it is
   *     not memory; EOPNOTSUPP for a PV domain, which has no such addresses
   */
  public byte[] read(Domain domain, long gpa, int length) {
    requireRange(gpa, length);
    byte[] bytes = new byte[length];
    forEachPage(
        p2m(domain),
        gpa,
        length,
        READABLE,
        (maddr, offset, part) -> memory.read(maddr, bytes, offset, part));
    return bytes;
  }

  /**
   * Writes a guest's bytes: all of them or none. They are noted as dirty; a page whose writes an
   * ioreq server wants is no memory to the hypervisor's copies.
   *
   * @param gpa address of the first
   * @throws Refusal EINVAL for a range that is empty or out of reach; EFAULT where a page of it is
   *     not writable memory; EOPNOTSUPP for a PV domain, which has no such addresses
   */
  public void write(Domain domain, long gpa, byte[] bytes) {
    requireRange(gpa, bytes.length);
    P2mTable p2m = p2m(domain);
    obtain(domain, gpa, bytes.length);
    Set<P2mType> writable = writable(p2m);
    forEachPage(p2m, gpa, bytes.length, writable, (maddr, offset, part) -> {});
    forEachPage(
        p2m,
        gpa,
        bytes.length,
        writable,
        (maddr, offset, part) -> {
          memory.write(maddr, bytes, offset, part);
          Gfn gfn = new Gfn((gpa + offset) >>> PageSize.SHIFT_4K);
          domain.logDirty().markDirty(gfn);
          if (P2mType.IOREQ.contains(p2m.lookup(gfn).type())) {
            p2m.counters().countBypass();
          }
        });
  }

  private static Set<P2mType> writable(P2mTable p2m) {
    boolean bypassing = P2mType.IOREQ.stream().anyMatch(type -> p2m.types().ioreq(type).bypassed());
    return bypassing ? WRITABLE_BYPASSING : WRITABLE;
  }

  /** Populates pages on demand and unshares them, as a write by the guest would. */
  private static void obtain(Domain domain, long gpa, int length) {
    long first = gpa >>> PageSize.SHIFT_4K;
    long last = (gpa + length - 1) >>> PageSize.SHIFT_4K;
    for (long gfn = first; gfn <= last; gfn++) {
      requireObtainable(domain, new Gfn(gfn));
    }
    for (long gfn = first; gfn <= last; gfn++) {
      domain.physicalMap().orElseThrow().obtainUnshared(new Gfn(gfn));
    }
  }

  // Before any page is obtained, so that a write of which nothing is done changes nothing.
  private static void requireObtainable(Domain domain, Gfn gfn) {
    P2mType type = domain.p2m().lookup(gfn).type();
    if (!writable(domain.p2m()).contains(type)
        && type != P2mType.POPULATE_ON_DEMAND
        && type != P2mType.RAM_SHARED) {
      throw Refusal.of(Errno.EFAULT, "guest frame %s of %s is %s", gfn, domain.id(), type);
    }
  }

  private static P2mTable p2m(Domain domain) {
    return domain
        .findP2m()
        .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no P2M", domain.id()));
  }

  private static void requireRange(long gpa, long length) {
    if (length <= 0) {
      throw Refusal.of(Errno.EINVAL, "a range of %d bytes", length);
    }
    long end = 1L << (P2mTable.GFN_BITS + PageSize.SHIFT_4K);
    if (gpa < 0 || gpa > end - length) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at 0x%x are out of reach", length, gpa);
    }
  }

  private void forEachPage(
      P2mTable p2m, long gpa, int length, Set<P2mType> allowed, PagePart action) {
    int done = 0;
    while (done < length) {
      long at = gpa + done;
      int inPage = (int) (at & (PageSize.BYTES_4K - 1));
      int part = Math.min(length - done, PageSize.BYTES_4K - inPage);
      P2mLookup found = p2m.lookup(new Gfn(at >>> PageSize.SHIFT_4K));
      if (!allowed.contains(found.type()) || !memory.isRam(found.mfn().maddr())) {
        throw Refusal.of(Errno.EFAULT, "the page at 0x%x is %s", at - inPage, found.type());
      }
      action.at(found.mfn().maddr() + inPage, done, part);
      done += part;
    }
  }
}
