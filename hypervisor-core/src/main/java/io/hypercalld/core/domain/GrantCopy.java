package io.hypercalld.core.domain;

import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * Copies between pages that are granted, and the caller's own. Confined to the machine thread.
 *
 * <p>Nothing stays in use: entries show it neither before nor after.
 *
 * @see "xen/common/grant_table.c, gnttab_copy"
 */
public final class GrantCopy {
  private final DomainTable domains;
  private final MachineMemory memory;
  private final FrameTable frames;
  private final GrantedPages pages;

  public GrantCopy(DomainTable domains, MachineMemory memory, FrameTable frames) {
    this.domains = domains;
    this.memory = memory;
    this.frames = frames;
    this.pages = new GrantedPages(frames);
  }

  /**
   * One end of a copy.
   *
   * @param granted whether {@code number} is that of an entry; otherwise a guest frame of the
   *     caller's
   * @param offset in the page, in bytes
   */
  public record End(DomainId domid, boolean granted, long number, long offset) {}

  /** What may be copied of a page: so many bytes from the offset on. */
  private record Part(GrantStatus status, Mfn mfn, int offset, int length) {
    static Part not(GrantStatus status) {
      return new Part(status, Mfn.INVALID, 0, 0);
    }

    static Part whole(GrantedPages.Page page) {
      return new Part(page.status(), page.mfn(), 0, PageSize.BYTES_4K);
    }

    boolean covers(long from, long bytes) {
      return from >= offset && from + bytes <= offset + length;
    }
  }

  /** Copies {@code length} bytes. */
  public GrantStatus copy(Domain caller, End source, End target, long length) {
    GrantStatus reached = reach(caller, source);
    if (reached == GrantStatus.OKAY) {
      reached = reach(caller, target);
    }
    if (reached != GrantStatus.OKAY) {
      return reached;
    }
    Part from = claim(caller, source, true);
    Part to = from.status == GrantStatus.OKAY ? claim(caller, target, false) : from;
    if (to.status != GrantStatus.OKAY) {
      return to.status;
    }
    if (Math.max(source.offset, target.offset) + length > PageSize.BYTES_4K) {
      return GrantStatus.BAD_COPY_ARG;
    }
    if (!from.covers(source.offset, length) || !to.covers(target.offset, length)) {
      return GrantStatus.GENERAL_ERROR;
    }
    byte[] bytes = new byte[(int) length];
    memory.read(from.mfn.maddr() + source.offset, bytes, 0, bytes.length);
    memory.write(to.mfn.maddr() + target.offset, bytes, 0, bytes.length);
    markDirty(to.mfn);
    return GrantStatus.OKAY;
  }

  private GrantStatus reach(Domain caller, End end) {
    if (!end.granted && !end.domid.equals(DomainId.SELF)) {
      return GrantStatus.PERMISSION_DENIED;
    }
    return domain(caller, end).isEmpty() ? GrantStatus.BAD_DOMAIN : GrantStatus.OKAY;
  }

  private Optional<Domain> domain(Domain caller, End end) {
    return end.domid.equals(DomainId.SELF) ? Optional.of(caller) : domains.find(end.domid);
  }

  private Part claim(Domain caller, End end, boolean readonly) {
    Domain domain = domain(caller, end).orElseThrow();
    Part part =
        end.granted
            ? granted(domain, end.number, new Use(caller.id(), readonly, true))
            : Part.whole(pages.find(domain, end.number, readonly));
    boolean usable = readonly || part.status != GrantStatus.OKAY || isWritable(part.mfn);
    return usable ? part : Part.not(GrantStatus.GENERAL_ERROR);
  }

  // Page tables and the like are not to be written; who writes RAM holds its type only meanwhile.
  private boolean isWritable(Mfn mfn) {
    if (!frames.takeTypeReference(mfn.value(), FrameType.WRITABLE)) {
      return false;
    }
    frames.putTypeReference(mfn.value());
    return true;
  }

  /** Who uses an entry, and how. */
  private record Use(DomainId user, boolean readonly, boolean transitively) {}

  private Part granted(Domain granter, long number, Use use) {
    GrantTable table = granter.memory().grantTable();
    if (Long.compareUnsigned(number, table.entries()) >= 0) {
      return Part.not(GrantStatus.BAD_GNTREF);
    }
    int ref = (int) number;
    GrantPin pin = table.pin(ref);
    if (!pin.isFree() && (!pin.mapper().equals(use.user) || pin.isFull(use.readonly))) {
      return Part.not(GrantStatus.GENERAL_ERROR);
    }
    if (!pin.isFree() && (use.readonly || pin.writers() > 0)) {
      return granter.isDying()
          ? Part.not(GrantStatus.BAD_DOMAIN)
          : new Part(GrantStatus.OKAY, pin.mfn(), 0, PageSize.BYTES_4K);
    }
    long header = table.contents().header(ref);
    long type = GrantEntry.TYPE.get(header);
    boolean handedOn = type == GrantEntry.TRANSITIVE && table.version() == 2;
    if ((type != GrantEntry.PERMIT_ACCESS && !handedOn)
        || !GrantEntry.permitsCopy(header, use.user, use.readonly)) {
      return Part.not(GrantStatus.GENERAL_ERROR);
    }
    Part part = handedOn ? handedOn(granter, ref, use) : part(granter, ref, use.readonly);
    if (part.status == GrantStatus.OKAY) {
      table.showUse(ref);
    }
    return pin.isFree() || part.status != GrantStatus.OKAY
        ? part
        : new Part(GrantStatus.OKAY, pin.mfn(), 0, PageSize.BYTES_4K);
  }

  private Part handedOn(Domain granter, int ref, Use use) {
    GrantEntries entries = granter.memory().grantTable().contents();
    DomainId third = new DomainId((int) GrantEntry.TRANS_DOMID.get(entries.firstWord(ref)));
    Optional<Domain> owner = domains.find(third);
    if (!use.transitively || third.equals(granter.id()) || owner.isEmpty()) {
      return Part.not(GrantStatus.GENERAL_ERROR);
    }
    long further = GrantEntry.TRANS_REF.get(entries.frame(ref));
    return granted(owner.get(), further, new Use(granter.id(), use.readonly, false));
  }

  private Part part(Domain granter, int ref, boolean readonly) {
    GrantTable table = granter.memory().grantTable();
    Part whole = Part.whole(pages.find(granter, table.contents().frame(ref), readonly));
    if (table.version() == 1 || !GrantEntry.SUB_PAGE.isSet(table.contents().header(ref))) {
      return whole;
    }
    long word = table.contents().firstWord(ref);
    int offset = (int) GrantEntry.PAGE_OFFSET.get(word);
    return new Part(whole.status, whole.mfn, offset, (int) GrantEntry.LENGTH.get(word));
  }

  private void markDirty(Mfn mfn) {
    long gfn = frames.m2p(mfn.value());
    if (gfn >= 0) {
      domains
          .find(new DomainId(frames.owner(mfn.value())))
          .ifPresent(owner -> owner.logDirty().markDirty(new Gfn(gfn)));
    }
  }
}
