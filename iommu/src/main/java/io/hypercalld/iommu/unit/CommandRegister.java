package io.hypercalld.iommu.unit;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.iommu.vtd.BitKinds;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;

/**
 * Carries out what software writes to GCMD and shows the result in GSTS. Confined to the machine
 * thread.
 *
 * <p>A write should change one field, but software is known to write back status bits of one-shot
 * commands: the root pointer is then latched again, which changes nothing where RTADDR has not
 * changed. Root pointer first, translation last, so that both in one write make sense.
 *
 * @see "VT-d §11.4.4"
 */
final class CommandRegister {
  private final RegisterFile registers;
  private final Capabilities capabilities;
  private final DmaRemapper remapper;
  private final TranslationCaches caches;
  private final InvalidationQueue queue;
  private final InterruptRemapper interrupts;
  private final boolean forgetsWhenSwitched;
  private final boolean onlyRemapsInterrupts;
  private final PostedWrites postedWrites;
  private final UnitObserver observer;

  CommandRegister(
      Circuit circuit,
      DmaRemapper remapper,
      TranslationCaches caches,
      InvalidationQueue queue,
      InterruptRemapper interrupts) {
    this.registers = circuit.registers();
    this.capabilities = circuit.capabilities();
    this.remapper = remapper;
    this.caches = caches;
    this.queue = queue;
    this.postedWrites = circuit.postedWrites();
    this.observer = circuit.observer();
    this.interrupts = interrupts;
    this.forgetsWhenSwitched = circuit.settings().habits().forgetsWhenSwitched();
    this.onlyRemapsInterrupts = circuit.settings().defects().onlyRemapsInterrupts();
  }

  /** Puts the registers into the window. */
  void attach() {
    registers.declare(Register.GCMD, Register.GCMD.kinds());
    registers.declare(Register.GSTS, Register.GSTS.kinds());
    if (!onlyRemapsInterrupts) {
      registers.declare(Register.RTADDR, Register.RTADDR.kinds());
    }
    if (capabilities.interruptRemapping()) {
      BitKinds kinds = Register.IRTA.kinds();
      registers.declare(
          Register.IRTA,
          capabilities.extendedInterruptMode()
              ? kinds
              : kinds.without(InterruptTableAddress.EIME.mask()));
    }
    registers.onWrite(Register.GCMD, written -> carryOut(known(Integer.toUnsignedLong(written))));
  }

  /** The commands that the unit knows of those written. */
  private long known(long written) {
    return onlyRemapsInterrupts
        ? written
            & (GlobalCommand.SIRTP.mask() | GlobalCommand.IRE.mask() | GlobalCommand.QIE.mask())
        : written;
  }

  private void carryOut(long command) {
    if (GlobalCommand.SRTP.isSet(command)) {
      setRootPointer();
    }
    if (capabilities.queuedInvalidation()) {
      show(GlobalCommand.QIE, GlobalCommand.QIE.isSet(command));
      queue.enable(GlobalCommand.QIE.isSet(command));
    }
    if (capabilities.interruptRemapping()) {
      remapInterrupts(command);
    }
    switchTranslation(GlobalCommand.TE.isSet(command));
    if (GlobalCommand.WBF.isSet(command)) {
      caches.flushWriteBuffer();
    }
    observer.commanded();
    // The other commands belong to features that the unit does not announce.
  }

  /** Goes on as GSTS says, with what was latched of IRTA. */
  void goOn(long interruptTable) {
    long status = registers.get(Register.GSTS);
    if (GlobalCommand.SRTP.isSet(status)) {
      setRootPointer();
    }
    queue.goOn(GlobalCommand.QIE.isSet(status));
    interrupts.setTable(interruptTable);
    interrupts.enable(GlobalCommand.IRE.isSet(status));
    interrupts.letCompatibilityPass(GlobalCommand.CFI.isSet(status));
    remapper.enable(GlobalCommand.TE.isSet(status));
    observer.commanded();
  }

  private void setRootPointer() {
    long root = registers.get(Register.RTADDR);
    remapper.setRoot(root);
    queue.useScalableMode(RootTableAddress.mode(root) == RootTableAddress.Mode.SCALABLE);
    if (capabilities.invalidatesOnRootPointer() || forgetsWhenSwitched) {
      caches.clear();
    }
    show(GlobalCommand.SRTP, true);
  }

  private void remapInterrupts(long command) {
    if (GlobalCommand.SIRTP.isSet(command)) {
      interrupts.setTable(registers.get(Register.IRTA));
      if (capabilities.invalidatesOnInterruptTablePointer()) {
        interrupts.cache().clear();
      }
      show(GlobalCommand.SIRTP, true);
    }
    show(GlobalCommand.IRE, GlobalCommand.IRE.isSet(command));
    interrupts.enable(GlobalCommand.IRE.isSet(command));
    show(GlobalCommand.CFI, GlobalCommand.CFI.isSet(command));
    interrupts.letCompatibilityPass(GlobalCommand.CFI.isSet(command));
  }

  private void switchTranslation(boolean on) {
    if (!on) {
      postedWrites.drain();
    }
    if (forgetsWhenSwitched && on != remapper.isEnabled()) {
      caches.clear();
    }
    show(GlobalCommand.TE, on);
    remapper.enable(on);
  }

  private void show(BitField status, boolean on) {
    registers.set(Register.GSTS, status.put(registers.get(Register.GSTS), on ? 1 : 0));
  }
}
