package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * What a domain grants to others: pages of entries that it writes itself, and which of them are in
 * use. Confined to the machine thread.
 *
 * @see "xen/common/grant_table.c"
 */
public final class GrantTable implements Digestible {
  /** Entries that a change of version keeps. */
  private static final int RESERVED_ENTRIES = 8;

  private final List<Mfn> shared = new ArrayList<>();
  private final List<Mfn> status = new ArrayList<>();
  private final TreeMap<Integer, GrantPin> pins = new TreeMap<>();
  private final GrantEntries entries;
  private final MachineMemory memory;
  private final SpecialPages pages;
  private final DomainSettings.GrantLimits limits;

  /**
   * A table of one page.
   *
   * @throws Refusal ENOMEM
   */
  GrantTable(MachineMemory memory, SpecialPages pages, DomainSettings.GrantLimits limits) {
    this.memory = memory;
    this.pages = pages;
    this.limits = limits;
    shared.add(pages.allocate());
    this.entries = new GrantEntries(memory, shared, status);
  }

  /** Format of the entries: 1 or 2. */
  public int version() {
    return entries.version();
  }

  /** What is written in them. */
  GrantEntries contents() {
    return entries;
  }

  /** Pages of entries. */
  public int frames() {
    return shared.size();
  }

  /** Pages of entries that there may be. */
  public int maxFrames() {
    return limits.maxFrames();
  }

  /** Pages of status words that there may be; 0 in version 1, which has none. */
  public int maxStatusFrames() {
    return version() == 1 ? 0 : statusFramesFor(limits.maxFrames());
  }

  /** Pages of entries, first to last. */
  public List<Mfn> sharedFrames() {
    return List.copyOf(shared);
  }

  /** Pages of status words, first to last. */
  public List<Mfn> statusFrames() {
    return List.copyOf(status);
  }

  /** References that are numbers of entries: those less than this. */
  public long entries() {
    return entries.count();
  }

  private static int statusFramesFor(int frames) {
    int words = frames * (PageSize.BYTES_4K / GrantEntry.V2_BYTES);
    int perFrame = PageSize.BYTES_4K / GrantEntry.STATUS_BYTES;
    return (words + perFrame - 1) / perFrame;
  }

  /**
   * A page of entries; the table grows to have it.
   *
   * @throws Refusal EINVAL where it cannot
   */
  public Mfn sharedFrame(long index) {
    if (Long.compareUnsigned(index, maxFrames()) >= 0) {
      throw Refusal.of(Errno.EINVAL, "a grant table has at most %d frames", maxFrames());
    }
    grow((int) index + 1);
    return shared.get((int) index);
  }

  /**
   * A page of status words; the table grows to have it.
   *
   * @throws Refusal EINVAL where it cannot, or where the version has none
   */
  public Mfn statusFrame(long index) {
    if (Long.compareUnsigned(index, maxStatusFrames()) >= 0) {
      throw Refusal.of(Errno.EINVAL, "the grant table has no status frame %d", index);
    }
    if (index >= status.size()) {
      int perStatusFrame = PageSize.BYTES_4K / GrantEntry.STATUS_BYTES / entries.perFrame();
      // As many as its words are for, which may be more than there may be.
      long needed = (index + 1) * perStatusFrame;
      if (needed > maxFrames()) {
        throw Refusal.of(Errno.EINVAL, "a grant table has at most %d frames", maxFrames());
      }
      grow((int) needed);
    }
    return status.get((int) index);
  }

  /**
   * Makes the table that large; it never shrinks.
   *
   * @throws Refusal EINVAL where there are no pages, as Xen says then, too; those got stay
   */
  public void grow(int frames) {
    try {
      while (shared.size() < frames) {
        if (version() == 2 && status.size() < statusFramesFor(shared.size() + 1)) {
          status.add(pages.allocate());
        }
        shared.add(pages.allocate());
      }
    } catch (Refusal refusal) {
      throw Refusal.of(Errno.EINVAL, "the grant table cannot grow: %s", refusal.reason());
    }
  }

  /**
   * Changes the format of the entries; all but the first 8 are lost.
   *
   * @throws Refusal EINVAL for a version that the domain may not have; EBUSY while an entry is in
   *     use or a page of status words that would go is mapped; ENOMEM. Nothing changed
   */
  public void changeVersion(long wanted) {
    if (wanted < 1 || wanted > limits.maxVersion()) {
      throw Refusal.of(Errno.EINVAL, "the grant table may not be of version %d", wanted);
    }
    if (wanted == version()) {
      return;
    }
    if (!pins.isEmpty()) {
      throw Refusal.of(Errno.EBUSY, "%d grants are in use", pins.size());
    }
    if (wanted == 1 && status.stream().anyMatch(pages::isMapped)) {
      throw Refusal.of(Errno.EBUSY, "a status frame is mapped");
    }
    long[] kept = new long[2 * RESERVED_ENTRIES];
    for (int ref = 0; ref < RESERVED_ENTRIES; ref++) {
      kept[2 * ref] = entries.header(ref);
      kept[2 * ref + 1] = entries.frame(ref);
    }
    setStatusFrames(wanted == 2 ? statusFramesFor(shared.size()) : 0);
    entries.changeVersion((int) wanted);
    shared.forEach(page -> memory.scrub(page, 1));
    for (int ref = 0; ref < RESERVED_ENTRIES; ref++) {
      entries.writeHeader(ref, kept[2 * ref]);
      entries.writeFrame(ref, kept[2 * ref + 1]);
    }
  }

  private void setStatusFrames(int count) {
    int before = status.size();
    try {
      while (status.size() < count) {
        status.add(pages.allocate());
      }
    } catch (Refusal refusal) {
      setStatusFrames(before);
      throw refusal;
    }
    while (status.size() > count) {
      pages.release(status.removeLast());
    }
  }

  /**
   * The guest frame that an entry grants.
   *
   * @throws Refusal ENOENT no such entry; ENXIO one that grants no access
   * @see "xen/common/grant_table.c, mem_sharing_gref_to_gfn"
   */
  public Gfn granted(long ref) {
    if (Long.compareUnsigned(ref, entries()) >= 0) {
      throw Refusal.of(Errno.ENOENT, "the grant table has %d entries", entries());
    }
    if (GrantEntry.TYPE.get(entries.header((int) ref)) != GrantEntry.PERMIT_ACCESS) {
      throw Refusal.of(Errno.ENXIO, "entry %d grants no access", ref);
    }
    return new Gfn(entries.frame((int) ref));
  }

  /** How an entry is in use; empty pins where it is not. */
  GrantPin pin(int ref) {
    return pins.getOrDefault(ref, GrantPin.NONE);
  }

  /** Notes how an entry is in use, and lets the granter see whether it is. */
  void setPin(int ref, GrantPin pin) {
    if (pin.isFree()) {
      pins.remove(ref);
    } else {
      pins.put(ref, pin);
    }
    // The pages go before the last mapping when the granter dies first.
    if (!shared.isEmpty()) {
      entries.showUse(ref, !pin.isFree(), pin.writers() > 0);
    }
  }

  /** Has the granter see whether an entry is in use, and not what it wrote about that itself. */
  void showUse(int ref) {
    setPin(ref, pin(ref));
  }

  /** Exchanges what two entries grant; EAGAIN while one of them is in use. */
  public GrantStatus swap(Swap refs) {
    if (Math.max(refs.a(), refs.b()) >= entries()) {
      return GrantStatus.BAD_GNTREF;
    }
    if (refs.a() != refs.b() && (isPinned(refs.a()) || isPinned(refs.b()))) {
      return GrantStatus.EAGAIN;
    }
    entries.swap((int) refs.a(), (int) refs.b());
    return GrantStatus.OKAY;
  }

  private boolean isPinned(long ref) {
    return pins.containsKey((int) ref);
  }

  /** Numbers of two entries. */
  public record Swap(long a, long b) {}

  /** The granter is dying: its pages go, and nothing can be granted any more. */
  void close() {
    shared.clear();
    status.clear();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("grant-table").put(version()).put(shared.size()).put(status.size());
    shared.forEach(page -> digest.put(page.value()));
    status.forEach(page -> digest.put(page.value()));
    digest.put(pins.size());
    pins.forEach((ref, pin) -> digest.put(ref).put(pin));
  }
}
