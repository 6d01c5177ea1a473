package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.Translation;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Emulated devices that ask where their requests go: each may remember the answers to its last
 * calls until the guest has anything forgotten. Confined to the machine thread.
 *
 * @see "spec/documents.md S1-M5, S1-D19"
 */
public final class VirtualDevices implements Digestible {
  private static final int READ_WRITE = SecondStageEntry.READ_WRITE;

  private final RemappingUnit unit;
  private final TreeMap<Sbdf, Device> devices = new TreeMap<>();
  private long calls;
  private long hits;

  VirtualDevices(RemappingUnit unit) {
    this.unit = unit;
  }

  /** What a device remembers: the oldest answer goes first. */
  private static final class Device {
    private final Map<Long, Answer.Translated> known = new LinkedHashMap<>();
    private int entries;

    private void remember(Answer.Translated answer) {
      if (entries > 0) {
        if (known.size() == entries) {
          known.remove(known.keySet().iterator().next());
        }
        known.put(page(answer.iova().value()), answer);
      }
    }
  }

  /** What the translate call answers. */
  public sealed interface Answer {
    /**
     * A page.
     *
     * @param iova the page's first address as the device gives it
     * @param translatedAddr guest-physical address of the page
     * @param addrMask bytes of the page, less one
     * @param permission 0 none, 1 read, 2 write, 3 both
     */
    record Translated(Word iova, Word translatedAddr, Word addrMask, int permission)
        implements Answer {
      /** Where an address in the page goes. */
      public long gpa(long address) {
        return translatedAddr.value() | (address & addrMask.value());
      }
    }

    /**
     * The guest's tables block it.
     *
     * @param recorded whether the guest's fault log took it
     */
    record Blocked(FaultReason reason, boolean recorded) implements Answer {}
  }

  /** An answer, and whether the device remembered it. */
  public record Told(Answer answer, boolean remembered) {}

  /** Has a device remember so many answers from now on; 0 for none. */
  public void remember(Sbdf device, int entries) {
    Device state = devices.computeIfAbsent(device, _ -> new Device());
    state.entries = entries;
    state.known.clear();
  }

  /** Translate calls so far. */
  public long calls() {
    return calls;
  }

  /** Requests that needed no call. */
  public long hits() {
    return hits;
  }

  /** Where a request goes that lies in one page. */
  public Told translate(Sbdf device, Word iova, DmaAccess access) {
    Device state = devices.computeIfAbsent(device, _ -> new Device());
    Answer.Translated known = state.known.get(page(iova.value()));
    if (known != null && access.isPermittedBy(known.permission())) {
      hits++;
      return new Told(known, true);
    }
    Answer answer = call(device, iova, access);
    if (answer instanceof Answer.Translated translated) {
      state.remember(translated);
    }
    return new Told(answer, false);
  }

  /** The translate call itself: a device model's hypercall, which fills the unit's caches. */
  public Answer call(Sbdf device, Word iova, DmaAccess access) {
    calls++;
    SourceId requester = device.sourceId();
    Translation out = new Translation();
    unit.translate(requester, iova.value(), access, out);
    return switch (out.outcome()) {
      case FAULTED -> new Answer.Blocked(out.reason(), out.recorded());
      case UNTRANSLATED, PROTECTED -> answer(iova.value(), out, READ_WRITE);
      case MAPPED ->
          answer(iova.value(), out, out.permissions() == 0 ? READ_WRITE : out.permissions());
    };
  }

  private static Answer.Translated answer(long iova, Translation out, int permission) {
    long mask = out.pageSize().bytes() - 1;
    return new Answer.Translated(
        new Word(iova & ~mask), new Word(out.maddr() & ~mask), new Word(mask), permission);
  }

  private static long page(long iova) {
    return iova >>> PageSize.SHIFT_4K;
  }

  /** The guest has something forgotten, or translates otherwise. */
  void forget() {
    devices.values().forEach(device -> device.known.clear());
  }

  /** How many answers a device may remember. */
  public Optional<Integer> entries(Sbdf device) {
    return Optional.ofNullable(devices.get(device)).map(state -> state.entries);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("virtual-devices").put(devices.size());
    devices.forEach(
        (sbdf, device) ->
            digest.put(sbdf.toString()).put(device.entries).put(device.known.toString()));
  }
}
