package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The translations that one device keeps. Confined to the machine thread.
 *
 * <p>What is kept goes by an invalidation that the device is told of, and the oldest goes where
 * there is no room. Nothing else tells the device that a table has changed.
 *
 * @see "PCIe Address Translation Services §2.3"
 */
public final class DeviceTlb implements Digestible {
  private static final int CAPACITY = 1024;
  private static final int NO_PASID = -1;

  private record Key(int pasid, long iova, PageSize size) {
    static Key of(PasidPrefix prefix, long iova, PageSize size) {
      int pasid = prefix.present() ? prefix.pasid() : NO_PASID;
      return new Key(pasid, iova & -size.bytes(), size);
    }

    boolean isIn(Invalidation.DeviceTranslations range) {
      boolean space =
          range.everyPasid()
              ? pasid != NO_PASID
              : pasid == (range.prefix().present() ? range.prefix().pasid() : NO_PASID);
      int shift = PageSize.SIZE_4K.shift() + range.addressMask();
      // All of 64 bits are shifted out where the range is everything.
      long apart = shift >= Long.SIZE ? 0 : (iova ^ range.iova()) >>> Math.max(shift, size.shift());
      return space && apart == 0;
    }
  }

  /**
   * A translation that a device keeps. Immutable.
   *
   * @param pasid the address space; empty without one
   * @param iova first address
   * @param maddr what the first address means
   * @param permissions bits R and W, as {@link SecondStageEntry#permissions} gives them
   */
  public record Kept(
      Optional<Integer> pasid, long iova, long maddr, PageSize size, int permissions) {
    /** The machine address of an address in the page. */
    long maddr(long address) {
      return maddr | (address & (size.bytes() - 1));
    }
  }

  private final LinkedHashMap<Key, Kept> kept = new LinkedHashMap<>();

  DeviceTlb() {}

  /** What the device keeps for an address; empty where it has to ask. */
  Optional<Kept> find(PasidPrefix prefix, long iova) {
    for (PageSize size : PageSize.values()) {
      Kept found = kept.get(Key.of(prefix, iova, size));
      if (found != null) {
        return Optional.of(found);
      }
    }
    return Optional.empty();
  }

  /** Keeps a translation: {@code maddr} is that of {@code iova}. */
  Kept keep(PasidPrefix prefix, long iova, long maddr, PageSize size, int permissions) {
    Key key = Key.of(prefix, iova, size);
    Kept translation =
        new Kept(
            prefix.present() ? Optional.of(prefix.pasid()) : Optional.empty(),
            key.iova,
            maddr & -size.bytes(),
            size,
            permissions);
    kept.remove(key);
    kept.put(key, translation);
    if (kept.size() > CAPACITY) {
      kept.pollFirstEntry();
    }
    return translation;
  }

  void invalidate(Invalidation.DeviceTranslations range) {
    kept.keySet().removeIf(key -> key.isIn(range));
  }

  void clear() {
    kept.clear();
  }

  /** Everything, the oldest first. */
  List<Kept> all() {
    return List.copyOf(kept.values());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(kept.size());
    for (Map.Entry<Key, Kept> each : kept.entrySet()) {
      digest.put(each.getKey().pasid).put(each.getKey().iova).put(each.getValue().maddr);
      digest.put(each.getValue().size.level()).put(each.getValue().permissions);
    }
  }
}
