package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.driver.InterruptTable;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.driver.UnitDriver;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.pci.PciTopology;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.IoApicEntry;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Writes the messages that functions and I/O APICs send, and the entries that remap them. Confined
 * to the machine thread.
 *
 * @see "xen/drivers/passthrough/vtd/intremap.c, msi_msg_to_remap_entry and io_apic_write_remap_rte"
 */
final class MessageWriter {
  private static final int EXACT = 0;
  private static final int ANY_FUNCTION = 3;

  private final VtdDriver driver;
  private final PciTopology topology;

  MessageWriter(VtdDriver driver, PciTopology topology) {
    this.driver = driver;
    this.topology = topology;
  }

  /**
   * Gives a function a message for a vector.
   *
   * @throws Refusal EFAULT the unit's table is full; EOPNOTSUPP the function sends no messages; EIO
   *     the unit does not obey
   */
  MsiSource program(Transaction steps, MessagePlan plan, ProcessorVector at) {
    PciDevice device = plan.device();
    Optional<InterruptTable> table = tableOf(device.sbdf());
    OptionalInt index =
        table.isPresent() ? OptionalInt.of(indexFor(table.get(), plan)) : OptionalInt.empty();
    RemappableMessage message = message(index, plan, at);
    index.ifPresent(
        place -> {
          InterruptTable entries = table.orElseThrow();
          InterruptEntry entry = entryFor(device.sbdf(), at);
          steps.onFailure(() -> entries.free(place));
          entries.write(place, entry);
        });
    return new MsiSource(
        device.sbdf(), plan.msiX(), plan.entry(), plan.block(), index, message, true, 1);
  }

  private static int indexFor(InterruptTable table, MessagePlan plan) {
    return plan.base().isPresent()
        ? plan.base().getAsInt() + plan.entry()
        : table.find(plan.block());
  }

  /** The handle names the block's first entry; the function adds its subhandle. */
  private static RemappableMessage message(
      OptionalInt index, MessagePlan plan, ProcessorVector at) {
    if (index.isEmpty()) {
      return compatibility(at);
    }
    int subhandle = plan.msiX() ? 0 : plan.entry();
    return RemappableMessage.of(index.getAsInt() - subhandle, subhandle);
  }

  private static InterruptMessage fixed(ProcessorVector at) {
    return InterruptMessage.fixed(at.vector(), at.processor());
  }

  /** The entry that sends a function's interrupt to a vector. */
  InterruptEntry entryFor(Sbdf sbdf, ProcessorVector at) {
    InterruptEntry entry = InterruptEntry.remapped(fixed(at), isExtended());
    return RequesterRule.restrict(entry, topology.require(sbdf), topology);
  }

  private boolean isExtended() {
    return driver.interruptRemapping().extended();
  }

  /** Sends an interrupt elsewhere: where an entry remaps it, the function is not touched. */
  MsiSource retarget(MsiSource source, ProcessorVector at) {
    if (source.index().isEmpty()) {
      return source.withMessage(compatibility(at));
    }
    if (!entryOf(source).isPosted()) {
      rewrite(source, entryFor(source.sbdf(), at));
    }
    return source;
  }

  /** Replaces the entry of a message. */
  void rewrite(MsiSource source, InterruptEntry entry) {
    tableOf(source.sbdf()).orElseThrow().write(source.index().orElseThrow(), entry);
  }

  /** The entry of a message as it is in memory. */
  InterruptEntry entryOf(MsiSource source) {
    return tableOf(source.sbdf()).orElseThrow().entry(source.index().orElseThrow());
  }

  /** Takes a message back. */
  void withdraw(MsiSource source) {
    source.index().ifPresent(index -> tableOf(source.sbdf()).ifPresent(table -> table.free(index)));
  }

  /** The unit that a function's messages go through. */
  Optional<UnitDriver> unitOf(Sbdf sbdf) {
    return driver.devices().find(sbdf).flatMap(PciDevice::unit);
  }

  private Optional<InterruptTable> tableOf(Sbdf sbdf) {
    return unitOf(sbdf).flatMap(UnitDriver::interruptTable);
  }

  /**
   * Gives a pin an entry for a vector, allocated the first time, and tells what its redirection
   * entry is to hold.
   *
   * @throws Refusal EFAULT the unit's table is full; EIO
   */
  IoApicPin program(IoApicPin pin, IoApicSource from, PinSetting setting) {
    Optional<InterruptTable> table = driver.units().get(from.iommu()).interruptTable();
    if (table.isEmpty()) {
      IoApicEntry entry = IoApicEntry.compatibility(wired(setting.at())).masked(setting.masked());
      return new IoApicPin(pin.ioApic(), pin.pin(), OptionalInt.empty(), entry);
    }
    int index = pin.index().orElseGet(() -> table.get().find(1));
    table.get().write(index, entryFor(from, setting.at()));
    IoApicEntry entry =
        IoApicEntry.remappable(index, setting.at().vector(), true).masked(setting.masked());
    return new IoApicPin(pin.ioApic(), pin.pin(), OptionalInt.of(index), entry);
  }

  /** The entry that sends an I/O APIC's interrupt to a vector. */
  InterruptEntry entryFor(IoApicSource from, ProcessorVector at) {
    return InterruptEntry.remapped(wired(at), isExtended()).from(from.requester(), EXACT);
  }

  private static InterruptMessage wired(ProcessorVector at) {
    return InterruptMessage.fixed(at.vector(), at.processor(), true);
  }

  /**
   * Gives a comparator of an HPET a message for a vector.
   *
   * @throws Refusal ENXIO the unit's table is full; EIO the unit does not obey
   */
  HpetTimer program(Transaction steps, HpetSource hpet, int comparator, ProcessorVector at) {
    Optional<InterruptTable> table = tableOf(hpet);
    if (table.isEmpty()) {
      return new HpetTimer(hpet, comparator, OptionalInt.empty(), compatibility(at));
    }
    int index = freeEntry(table.get());
    steps.onFailure(() -> table.get().free(index));
    table.get().write(index, entryFor(hpet, at));
    return new HpetTimer(hpet, comparator, OptionalInt.of(index), RemappableMessage.of(index, 0));
  }

  private static int freeEntry(InterruptTable table) {
    try {
      return table.find(1);
    } catch (Refusal full) {
      throw Refusal.of(Errno.ENXIO, "%s", full.reason());
    }
  }

  private static RemappableMessage compatibility(ProcessorVector at) {
    return IoApicEntry.compatibility(fixed(at)).message();
  }

  /** Sends a timer's interrupt elsewhere: where an entry remaps it, the timer is not touched. */
  HpetTimer retarget(HpetTimer timer, ProcessorVector at) {
    if (timer.index().isEmpty()) {
      return new HpetTimer(timer.hpet(), timer.comparator(), timer.index(), compatibility(at));
    }
    tableOf(timer.hpet()).orElseThrow().write(timer.index().getAsInt(), entryFor(timer.hpet(), at));
    return timer;
  }

  void withdraw(HpetTimer timer) {
    timer.index().ifPresent(index -> tableOf(timer.hpet()).orElseThrow().free(index));
  }

  /** The entry that sends an HPET's interrupt to a vector; whichever function its id names. */
  InterruptEntry entryFor(HpetSource hpet, ProcessorVector at) {
    return InterruptEntry.remapped(fixed(at), isExtended()).from(hpet.requester(), ANY_FUNCTION);
  }

  private Optional<InterruptTable> tableOf(HpetSource hpet) {
    return driver.units().get(hpet.iommu()).interruptTable();
  }
}
