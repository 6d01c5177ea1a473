package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptEntry;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.PasidPrefix;
import io.hypercalld.iommu.vtd.PostedDescriptor;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RemappableMessage;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The way of an interrupt request: the table's entry, and a processor or a descriptor in memory
 * behind it. Confined to the machine thread.
 *
 * @see "VT-d §5"
 */
final class InterruptRemapper implements Digestible {
  private final PhysicalMemory memory;
  private final UnitCounters counters;
  private final FaultLog log;
  private final MessageSink sink;
  private final InterruptCache cache = new InterruptCache();
  private final InterruptJudge judge;
  private final UnitSettings settings;
  private final RegisterFile registers;

  private boolean enabled;
  private boolean compatibilityPasses;

  /** IRTA as it was when the table pointer was set. */
  private long table;

  InterruptRemapper(Circuit circuit, FaultLog log, MessageSink sink) {
    this.memory = circuit.memory();
    this.counters = circuit.counters();
    this.log = log;
    this.sink = sink;
    this.judge = new InterruptJudge(circuit, cache);
    this.settings = circuit.settings();
    this.registers = circuit.registers();
  }

  InterruptCache cache() {
    return cache;
  }

  /** Takes a value of IRTA into use; what is remembered stays. */
  void setTable(long interruptTableAddress) {
    table = settings.latched(interruptTableAddress);
  }

  long table() {
    return table;
  }

  /** IRE: switches remapping on or off; what is remembered stays. */
  void enable(boolean on) {
    enabled = on;
  }

  boolean isEnabled() {
    return enabled;
  }

  /** CFI: whether requests of compatibility format pass. */
  void letCompatibilityPass(boolean on) {
    compatibilityPasses = on;
  }

  /** What the unit makes of a request; changes nothing. */
  InterruptJudgement judge(SourceId requester, RemappableMessage message) {
    return enabled
        ? judge.judge(requester, message, table, compatibilityPasses)
        : InterruptJudgement.PASSES;
  }

  /** The entry in memory, whatever is remembered; empty where there is no memory. */
  Optional<InterruptEntry> entryInMemory(int index) {
    return judge.read(table, index);
  }

  /** What {@link #request} would come to now, but for posting; changes nothing. */
  InterruptOutcome foresee(SourceId requester, RemappableMessage message) {
    InterruptJudgement judgement = judge(requester, message);
    if (judgement.fault().isPresent()) {
      return new InterruptOutcome.Blocked(judgement.fault().get(), judgement.index(), false);
    }
    return judgement
        .entry()
        .map(entry -> foreseen(judgement.index(), entry))
        .orElseGet(() -> passing(message));
  }

  private InterruptOutcome foreseen(int index, InterruptEntry entry) {
    return entry.isPosted()
        ? new InterruptOutcome.Posted(index, entry.descriptor(), entry.vector(), Optional.empty())
        : new InterruptOutcome.Delivered(entry.message(isExtended()), OptionalInt.of(index));
  }

  private static InterruptOutcome.Delivered passing(RemappableMessage message) {
    return new InterruptOutcome.Delivered(
        InterruptMessage.written(message.address(), message.data()), OptionalInt.empty());
  }

  /** Carries a request out: it reaches a processor, a descriptor, or the fault log. */
  InterruptOutcome request(SourceId requester, PasidPrefix prefix, RemappableMessage message) {
    InterruptJudgement judgement =
        enabled && prefix.present()
            ? InterruptJudgement.blocked(0, FaultReason.INTERRUPT_REQUEST_WITH_PASID)
            : judge(requester, message);
    judgement.entry().ifPresent(entry -> remember(judgement, entry));
    if (judgement.fault().isPresent()) {
      return block(requester, judgement, judgement.fault().get());
    }
    if (judgement.entry().isEmpty()) {
      return deliver(passing(message).message(), OptionalInt.empty());
    }
    InterruptEntry entry = judgement.entry().get();
    return entry.isPosted()
        ? post(judgement.index(), entry)
        : deliver(entry.message(isExtended()), OptionalInt.of(judgement.index()));
  }

  private void remember(InterruptJudgement judgement, InterruptEntry entry) {
    if (judgement.cached()) {
      counters.interruptEntryHits++;
    } else {
      counters.interruptEntryMisses++;
      if (canBeToldToForget() && judge.isCacheable(entry, table)) {
        cache.put(judgement.index(), entry);
      }
    }
  }

  /** Entries are invalidated through the queue only: without it, none is remembered. */
  private boolean canBeToldToForget() {
    return GlobalCommand.QIE.isSet(registers.get(Register.GSTS));
  }

  private boolean isExtended() {
    return InterruptTableAddress.EIME.isSet(table);
  }

  private InterruptOutcome block(
      SourceId requester, InterruptJudgement judgement, FaultReason reason) {
    counters.countFault(reason);
    if (judgement.isSuppressed()) {
      counters.faultsSuppressed++;
      return new InterruptOutcome.Blocked(reason, judgement.index(), false);
    }
    boolean recorded = log.recordInterrupt(requester, judgement.index(), reason);
    return new InterruptOutcome.Blocked(reason, judgement.index(), recorded);
  }

  private InterruptOutcome deliver(InterruptMessage message, OptionalInt index) {
    counters.interruptsDelivered++;
    sink.deliver(message);
    return new InterruptOutcome.Delivered(message, index);
  }

  /** Sets the request bit, and notifies unless that is outstanding or suppressed: in one step. */
  private InterruptOutcome post(int index, InterruptEntry entry) {
    long descriptor = entry.descriptor();
    long requests = descriptor + PostedDescriptor.requestOffset(entry.vector());
    memory.writeWord(
        requests, memory.readWord(requests) | PostedDescriptor.requestBit(entry.vector()));
    counters.interruptsPosted++;
    Optional<InterruptMessage> notification = notify(entry);
    notification.ifPresent(sink::deliver);
    return new InterruptOutcome.Posted(index, descriptor, entry.vector(), notification);
  }

  private Optional<InterruptMessage> notify(InterruptEntry entry) {
    long at = entry.descriptor() + PostedDescriptor.CONTROL_OFFSET;
    long control = memory.readWord(at);
    boolean suppressed = PostedDescriptor.SN.isSet(control) && !entry.isUrgent();
    if (PostedDescriptor.ON.isSet(control) || suppressed) {
      return Optional.empty();
    }
    memory.writeWord(at, PostedDescriptor.ON.set(control));
    counters.interruptNotifications++;
    return Optional.of(PostedDescriptor.notification(control, isExtended()));
  }

  /** After a reset remapping is off and nothing is remembered. */
  void reset() {
    enabled = false;
    compatibilityPasses = false;
    table = 0;
    cache.clear();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("interrupt-remapper").put(enabled).put(compatibilityPasses).put(table);
    digest.put(cache);
  }
}
