package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.FrameType;
import io.hypercalld.core.memory.FrameUse;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.SyncHook;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the devices of a PV domain may reach: each of its frames at its own number, unless the frame
 * is a page table. Confined to the machine thread.
 *
 * <p>A PV guest maps its RAM writable, but for its page tables; those mappings are not modelled, so
 * a frame counts as writable while it is of no other type.
 *
 * @see "xen/drivers/passthrough/x86/iommu.c, arch_iommu_populate_page_table"
 */
final class IdentityMap implements Digestible {
  private final TreeMap<Long, SyncHook> missed = new TreeMap<>();
  private final FrameTable frames;
  private final DomainId owner;
  private Set<SyncHook> hooks;

  IdentityMap(FrameTable frames, DomainId owner, Set<SyncHook> hooks) {
    this.frames = frames;
    this.owner = owner;
    this.hooks = hooks;
  }

  /**
   * Maps every frame that the devices may reach, one by one.
   *
   * @param end first frame number that no frame has
   * @throws io.hypercalld.core.errno.Refusal ENOMEM; what is mapped stays
   */
  void fill(DmaTable table, long end) {
    Optional<DmaRun> next = nextRun(0, end);
    while (next.isPresent()) {
      DmaRun run = next.get();
      FrameRun dfns = new FrameRun(run.dfn().value(), run.frames());
      table.mapUnseen(dfns, run.mfn(), run.permission());
      next = nextRun(run.end(), end);
    }
  }

  /** Whether the frame is the domain's and may be written by it. */
  boolean isReachable(long mfn) {
    boolean own = frames.owner(mfn) == owner.value() && frames.use(mfn) == FrameUse.GUEST_RAM;
    return own && (frames.type(mfn) == FrameType.NONE || frames.type(mfn) == FrameType.WRITABLE);
  }

  /** The first frame from {@code from} on that the devices may reach. */
  Optional<DmaRun> nextRun(long from, long end) {
    long mfn = frames.nextOwned(from, end, owner.value());
    while (mfn >= 0 && !isReachable(mfn)) {
      mfn = frames.nextOwned(mfn + 1, end, owner.value());
    }
    return mfn < 0
        ? Optional.empty()
        : Optional.of(new DmaRun(new Gfn(mfn), new Mfn(mfn), 1, DmaPermission.READ_WRITE));
  }

  /** Whether a change of frames is to be followed; if not, it is remembered. */
  boolean follows(FrameRun run, SyncHook hook) {
    boolean followed = hooks.contains(hook);
    for (long mfn = run.mfn(); mfn < run.mfn() + run.count(); mfn++) {
      if (followed) {
        missed.remove(mfn);
      } else {
        missed.put(mfn, hook);
      }
    }
    return followed;
  }

  /** The hook whose being off kept the last change of the frame from the table. */
  Optional<SyncHook> missedAt(long mfn) {
    return Optional.ofNullable(missed.get(mfn));
  }

  Set<SyncHook> hooks() {
    return Set.copyOf(hooks);
  }

  void setHooks(Set<SyncHook> on) {
    hooks = EnumSet.noneOf(SyncHook.class);
    hooks.addAll(on);
  }

  @Override
  public void digest(StateDigest digest) {
    hooks.forEach(hook -> digest.put(hook.toString()));
    missed.forEach((mfn, hook) -> digest.put(mfn).put(hook.toString()));
  }
}
