package io.hypercalld.iommu.virtual;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.unit.UnitObserver;
import io.hypercalld.iommu.unit.UnitSettings;
import io.hypercalld.iommu.unit.UnitState;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * A guest's remapping unit as the guest's processors reach it: silicon behind a window. Confined to
 * the machine thread.
 *
 * <p>An access of another size than 4 or 8 bytes, or that is not aligned, is ignored: it reads
 * zero. As shipped the queue's tail is looked at only when the guest next reads a register.
 *
 * @see "spec/documents.md S1-D6, S1-D7, S1-D12"
 */
public final class VirtualUnit implements Digestible {
  private static final long HALF_MASK = 0xffff_ffffL;

  private final VirtualUnitSettings settings;
  private final RemappingUnit silicon;
  private final GuestMessages messages;
  private final PhysicalMemory memory;
  private final boolean drainsOnRead;

  /** What the guest stored to IQT and nobody has looked at. */
  private OptionalLong tail = OptionalLong.empty();

  VirtualUnit(
      VirtualUnitSettings settings, Silicon parts, GuestMessages messages, UnitObserver observer) {
    this.settings = settings;
    this.memory = parts.memory;
    this.messages = messages;
    this.drainsOnRead = parts.drainsOnRead;
    this.silicon = new RemappingUnit(parts.settings, parts.memory, messages, observer);
  }

  /**
   * What a unit is made of.
   *
   * @param drainsOnRead whether descriptors wait until the guest reads a register
   */
  record Silicon(UnitSettings settings, PhysicalMemory memory, boolean drainsOnRead) {}

  /** What was asked for. */
  public VirtualUnitSettings settings() {
    return settings;
  }

  /** The unit itself, for whoever wants to see its insides. */
  public RemappingUnit silicon() {
    return silicon;
  }

  /** The guest's memory as the unit sees it. */
  PhysicalMemory memory() {
    return memory;
  }

  GuestMessages messages() {
    return messages;
  }

  /** Whether the guest's access is to its register window. */
  boolean covers(long gpa) {
    return gpa >= settings.base().value()
        && gpa < settings.base().value() + silicon.settings().windowBytes();
  }

  /** What the guest reads. */
  long read(RegisterPlace place) {
    if (!place.isRegister()) {
      return 0;
    }
    drain();
    return place.isHalf()
        ? silicon.read32(place.offset()) & HALF_MASK
        : silicon.read64(place.offset());
  }

  /** The guest writes. */
  void write(RegisterPlace place, long value) {
    if (!place.isRegister()) {
      return;
    }
    if (drainsOnRead && place.offset() == Register.IQT.offset()) {
      tail = OptionalLong.of(value);
    } else {
      store(place, value);
    }
  }

  private void store(RegisterPlace place, long value) {
    if (place.isHalf()) {
      silicon.write32(place.offset(), (int) value);
    } else {
      silicon.write64(place.offset(), value);
    }
  }

  private void drain() {
    if (tail.isPresent()) {
      long waiting = tail.getAsLong();
      tail = OptionalLong.empty();
      silicon.write64(Register.IQT.offset(), waiting);
    }
  }

  /** What of it outlives its domain's stay on this host, with what nobody has looked at yet. */
  UnitState save(int windowBytes) {
    UnitState state = silicon.save(windowBytes);
    if (tail.isEmpty()) {
      return state;
    }
    List<Integer> words = new ArrayList<>(state.words());
    words.set(Register.IQT.offset() / Integer.BYTES, (int) tail.getAsLong());
    return new UnitState(state.interruptTable(), state.nextFault(), words);
  }

  /** Goes on where a unit like this one was saved. */
  void load(UnitState state) {
    silicon.load(state);
    tail =
        drainsOnRead
            ? OptionalLong.of(silicon.read64(Register.IQT.offset()))
            : OptionalLong.empty();
  }

  /**
   * Where an access to the window goes.
   *
   * @param offset bytes from its start
   * @param size bytes
   */
  public record RegisterPlace(int offset, int size) {
    boolean isHalf() {
      return size == Integer.BYTES;
    }

    boolean isRegister() {
      return (size == Integer.BYTES || size == Long.BYTES) && offset % size == 0;
    }
  }

  /**
   * A place in the window.
   *
   * @throws Refusal EINVAL beyond the window, or of no register's size or alignment
   */
  RegisterPlace place(Word offset, int size) {
    long at = offset.value();
    if (at < 0 || at > silicon.settings().windowBytes() - size) {
      throw Refusal.of(Errno.EINVAL, "%s lies beyond the register window", offset);
    }
    RegisterPlace place = new RegisterPlace((int) at, size);
    if (!place.isRegister()) {
      throw Refusal.of(
          Errno.EINVAL, "registers are 4 or 8 aligned bytes, not %d at %s", size, offset);
    }
    return place;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("virtual-unit").put(settings.toString()).put(drainsOnRead);
    digest.put(tail.isPresent()).put(tail.orElse(0)).put(silicon).put(messages);
  }
}
