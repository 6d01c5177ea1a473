package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Invalidation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Writes between their translation and memory. Confined to the machine thread.
 *
 * <p>A write is on its way for no time unless somebody holds its device's up. Then it lands, where
 * it was translated to, when a command drains writes, when the device reads, since a read overtakes
 * no write of its requester, or when it is let go.
 *
 * @see "VT-d §6.5.5; PCIe §2.4.1"
 */
public final class PostedWrites implements Digestible {
  /** The bytes of one request. */
  private static final class Write {
    final SourceId requester;
    final MachineMemory memory;
    final long maddr;
    final byte[] bytes;

    Write(SourceId requester, MachineMemory memory, long maddr, byte[] bytes) {
      this.requester = requester;
      this.memory = memory;
      this.maddr = maddr;
      this.bytes = bytes;
    }

    void land() {
      memory.write(maddr, bytes, 0, bytes.length);
    }
  }

  private final UnitSettings settings;
  private final SortedSet<SourceId> held = new TreeSet<>();
  private final List<Write> underWay = new ArrayList<>();

  PostedWrites(UnitSettings settings) {
    this.settings = settings;
  }

  /** Holds a device's writes up from now on, or lets them go. */
  public void hold(SourceId requester, boolean on) {
    if (on) {
      held.add(requester);
    } else {
      held.remove(requester);
      drain(requester);
    }
  }

  public boolean holds(SourceId requester) {
    return !held.isEmpty() && held.contains(requester);
  }

  /** How many of a device's writes are under way. */
  public long underWay(SourceId requester) {
    return underWay.stream().filter(write -> write.requester.equals(requester)).count();
  }

  /** A write of a device that is held up. */
  void take(SourceId requester, MachineMemory memory, long maddr, byte[] bytes) {
    underWay.add(new Write(requester, memory, maddr, bytes));
  }

  /** All of a device's writes land. */
  void drain(SourceId requester) {
    if (!underWay.isEmpty()) {
      underWay.stream().filter(write -> write.requester.equals(requester)).forEach(Write::land);
      underWay.removeIf(write -> write.requester.equals(requester));
    }
  }

  /** All writes land. */
  void drain() {
    underWay.forEach(Write::land);
    underWay.clear();
  }

  /**
   * Translations are about to go: writes that used them land before, where software asks for that
   * and the unit can, and always from major version 6 on.
   *
   * @param asked DW of the command
   */
  void invalidated(Invalidation command, boolean asked) {
    boolean drains =
        switch (command) {
          case Invalidation.OfTranslations _ ->
              (asked && settings.capabilities().drainsWrites())
                  || !settings.version().invalidatesByRegisters();
          case Invalidation.OfPasidTranslations _ -> true;
          default -> false;
        };
    if (drains) {
      drain();
    }
  }

  /** Nothing is held up any more. */
  void powerOn() {
    drain();
    held.clear();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(held.size());
    held.forEach(requester -> digest.put(requester.value()));
    digest.put(underWay.size());
    for (Write write : underWay) {
      digest.put(write.requester.value()).put(write.maddr).put(ByteBuffer.wrap(write.bytes));
    }
  }
}
