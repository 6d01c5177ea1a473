package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Guest frames whose caching a device model decided: few ranges, none of which overlap. Confined to
 * the machine thread.
 *
 * @see "xen/arch/x86/hvm/mtrr.c, hvm_set_mem_pinned_cacheattr"
 */
final class CachePins implements Digestible {
  /** Most ranges. */
  static final int MOST = 64;

  private final TreeMap<Long, Pin> byFirst = new TreeMap<>();

  /** How a range is cached, up to its last guest frame, inclusive. */
  private record Pin(long last, CacheType type) {}

  boolean isEmpty() {
    return byFirst.isEmpty();
  }

  /**
   * Pins a range, or changes what it is pinned to; both ends are inclusive.
   *
   * @throws Refusal EBUSY some of it is in another range; ENOSPC there are 64
   */
  void pin(long first, long last, CacheType type) {
    if (!isPinned(first, last)) {
      Map.Entry<Long, Pin> before = byFirst.floorEntry(last);
      if (before != null && before.getValue().last >= first) {
        throw Refusal.of(
            Errno.EBUSY, "guest frames from 0x%x on are pinned by another range", before.getKey());
      }
      if (byFirst.size() == MOST) {
        throw Refusal.of(Errno.ENOSPC, "%d ranges are pinned", MOST);
      }
    }
    byFirst.put(first, new Pin(last, type));
  }

  /**
   * Forgets a range.
   *
   * @throws Refusal ENOENT there is none from and to there
   */
  void unpin(long first, long last) {
    if (!isPinned(first, last)) {
      throw Refusal.of(Errno.ENOENT, "no range from 0x%x to 0x%x is pinned", first, last);
    }
    byFirst.remove(first);
  }

  private boolean isPinned(long first, long last) {
    Pin pin = byFirst.get(first);
    return pin != null && pin.last == last;
  }

  /** How much of a range lies in one pin. */
  Coverage over(long gfn, long frames) {
    Map.Entry<Long, Pin> around = byFirst.floorEntry(gfn + frames - 1);
    boolean some = around != null && around.getValue().last >= gfn;
    boolean all = some && around.getKey() <= gfn && around.getValue().last >= gfn + frames - 1;
    return Coverage.of(some, all);
  }

  /** How a guest frame is cached, if that is pinned. */
  Optional<CacheType> at(long gfn) {
    return Optional.ofNullable(byFirst.floorEntry(gfn))
        .map(Map.Entry::getValue)
        .filter(pin -> pin.last >= gfn)
        .map(Pin::type);
  }

  /** Frames from one on until a range begins or ends. */
  long alike(long gfn) {
    Map.Entry<Long, Pin> before = byFirst.floorEntry(gfn);
    if (before != null && before.getValue().last >= gfn) {
      return before.getValue().last + 1 - gfn;
    }
    Long next = byFirst.higherKey(gfn);
    return next == null ? Long.MAX_VALUE : next - gfn;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(byFirst.size());
    byFirst.forEach((first, pin) -> digest.put(first).put(pin.last).put(pin.type.name()));
  }
}
