package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
  private final TreeMap<Long, DeviceMapping> mappings = new TreeMap<>();
  private final List<Mfn> unmapped = new ArrayList<>();
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
   * Maps a frame where nothing is mapped; takes effect with {@link #flush}.
   *
   * @throws Refusal EINVAL nobody has the frame any more; ENOMEM no frame for a table. Nothing
   *     changed
   */
  public void map(Gfn dfn, DeviceMapping mapping, DmaPermission permission) {
    long mfn = mapping.mfn().value();
    if (mapping.counted() && !frames.takeReference(mfn, frames.owner(mfn))) {
      throw Refusal.of(Errno.EINVAL, "frame %s is nobody's", mapping.mfn());
    }
    try {
      space.map(new FrameRun(dfn.value(), 1), mapping.mfn(), permission);
    } catch (Refusal refusal) {
      if (mapping.counted()) {
        domains.putReference(mapping.mfn());
      }
      throw refusal;
    }
    mappings.put(dfn.value(), mapping);
  }

  /**
   * Unmaps what is mapped at a frame; takes effect with {@link #flush}.
   *
   * @throws Refusal ENOENT nothing is
   */
  public void unmap(Gfn dfn) {
    DeviceMapping mapping = require(dfn);
    space.unmap(new FrameRun(dfn.value(), 1));
    mappings.remove(dfn.value());
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
    mappings.forEach((dfn, mapping) -> digest.put(dfn).put(mapping));
  }
}
