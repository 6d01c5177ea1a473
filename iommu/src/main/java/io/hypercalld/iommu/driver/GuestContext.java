package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mChange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * An address space that a domain fills for its devices page by page. Confined to the machine
 * thread.
 *
 * <p>Each mapping holds a reference to its frame, which outlives the mapping until units have been
 * told to forget it: a frame is never somebody else's while a device may still reach it. What
 * changes takes effect with {@link #flush}, many changes at once.
 */
public final class GuestContext implements Digestible {
  private static final int SLOTS = 1 << 12;

  private final Map<Long, DeviceMapping> mappings = new HashMap<>();
  private final List<Mfn> unmapped = new ArrayList<>();

  /** How many mappings are of guest frames whose lowest bits are alike, whosever they are. */
  private final int[] byGuestFrame = new int[SLOTS];

  private final IoContext space;
  private final FrameTable frames;
  private final DomainTable domains;

  GuestContext(IoContext space, FrameTable frames, DomainTable domains) {
    this.space = space;
    this.frames = frames;
    this.domains = domains;
  }

  /** The tables that devices go through. */
  IoContext space() {
    return space;
  }

  /** What is mapped at a frame of the devices' space. */
  public Optional<DeviceMapping> at(Gfn dfn) {
    return Optional.ofNullable(mappings.get(dfn.value()));
  }

  /**
   * What is mapped at a frame of the devices' space.
   *
   * @throws Refusal ENOENT nothing
   */
  public DeviceMapping require(Gfn dfn) {
    return at(dfn)
        .orElseThrow(() -> Refusal.of(Errno.ENOENT, "nothing is mapped at 0x%x", dfn.value()));
  }

  /**
   * Refuses a frame where something is mapped.
   *
   * @throws Refusal EADDRINUSE
   */
  public void requireFree(Gfn dfn) {
    if (mappings.containsKey(dfn.value())) {
      throw Refusal.of(Errno.EADDRINUSE, "something is mapped at 0x%x", dfn.value());
    }
  }

  /** What is mapped, by the devices' frames. */
  public Map<Long, DeviceMapping> mappings() {
    return Map.copyOf(mappings);
  }

  /**
   * Maps consecutive frames of the machine where nothing is mapped; takes effect with {@link
   * #flush}.
   *
   * @param first where the first of the pages is to be
   * @throws Refusal EINVAL nobody has one of the frames any more; ENOMEM no frame for a table.
   *     Nothing changed
   */
  public void map(Gfn first, List<DeviceMapping> pages, DmaPermission permission) {
    int held = 0;
    try {
      for (DeviceMapping page : pages) {
        hold(page);
        held++;
      }
      space.map(new FrameRun(first.value(), pages.size()), pages.getFirst().mfn(), permission);
    } catch (Refusal refusal) {
      pages.subList(0, held).reversed().forEach(this::letGo);
      throw refusal;
    }
    long dfn = first.value();
    for (DeviceMapping page : pages) {
      mappings.put(dfn++, page);
      byGuestFrame[slot(page.gfn().value())]++;
    }
  }

  private void hold(DeviceMapping page) {
    long mfn = page.mfn().value();
    if (page.counted() && !frames.takeReference(mfn, frames.owner(mfn))) {
      throw Refusal.of(Errno.EINVAL, "frame %s is nobody's", page.mfn());
    }
  }

  private void letGo(DeviceMapping page) {
    if (page.counted()) {
      domains.putReference(page.mfn());
    }
  }

  /**
   * Where pages of a domain are mapped that have left their guest frames, or may not be written.
   */
  List<Gfn> stale(DomainId owner, P2mChange change) {
    return mayConcern(change)
        ? mappings.entrySet().stream()
            .filter(entry -> isStale(entry.getValue(), owner, change))
            .sorted(Map.Entry.comparingByKey())
            .map(entry -> new Gfn(entry.getKey()))
            .toList()
        : List.of();
  }

  /** Most changes concern no mapping, and are not to look at all of them. */
  private boolean mayConcern(P2mChange change) {
    long end = change.gfn().value() + Math.min(change.frames(), SLOTS);
    for (long gfn = change.gfn().value(); gfn < end; gfn++) {
      if (byGuestFrame[slot(gfn)] > 0) {
        return true;
      }
    }
    return false;
  }

  private static int slot(long gfn) {
    return (int) gfn & (SLOTS - 1);
  }

  private static boolean isStale(DeviceMapping mapping, DomainId owner, P2mChange change) {
    long inside = mapping.gfn().value() - change.gfn().value();
    if (!mapping.owner().equals(owner) || inside < 0 || inside >= change.frames()) {
      return false;
    }
    boolean same =
        change.permission() == DmaPermission.READ_WRITE
            && change.mfn().plus(inside).equals(mapping.mfn());
    return !same;
  }

  /**
   * Unmaps what is mapped at consecutive frames, up to the first where nothing is; takes effect
   * with {@link #flush}.
   *
   * @return how many frames
   */
  public long unmap(Gfn first, long count) {
    long mapped = 0;
    while (mapped < count && mappings.containsKey(first.value() + mapped)) {
      mapped++;
    }
    if (mapped > 0) {
      space.unmap(new FrameRun(first.value(), mapped));
    }
    for (long dfn = first.value(); dfn < first.value() + mapped; dfn++) {
      forget(dfn);
    }
    return mapped;
  }

  private void forget(long dfn) {
    DeviceMapping mapping = Objects.requireNonNull(mappings.remove(dfn));
    byGuestFrame[slot(mapping.gfn().value())]--;
    if (mapping.counted()) {
      unmapped.add(mapping.mfn());
    }
  }

  /** Has units forget what was unmapped, and only then lets go of the frames. */
  public void flush() {
    space.flush();
    unmapped.forEach(domains::putReference);
    unmapped.clear();
  }

  /** Unmaps everything, when no device goes through it any more. */
  void clear() {
    mappings.values().stream()
        .filter(DeviceMapping::counted)
        .map(DeviceMapping::mfn)
        .forEach(unmapped::add);
    mappings.clear();
    Arrays.fill(byGuestFrame, 0);
    unmapped.forEach(domains::putReference);
    unmapped.clear();
  }

  /** Frames to which it refers, once for each reference. */
  Stream<Mfn> referencedFrames() {
    return Stream.concat(
        mappings.values().stream().filter(DeviceMapping::counted).map(DeviceMapping::mfn),
        unmapped.stream());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(space.tag().value()).put(mappings.size());
    new TreeMap<>(mappings).forEach((dfn, mapping) -> digest.put(dfn).put(mapping));
  }
}
