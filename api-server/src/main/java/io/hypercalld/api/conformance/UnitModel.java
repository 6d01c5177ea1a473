package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CommandModel.Fields;
import io.hypercalld.api.conformance.CorpusCase.Step.RegisterWrite;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongUnaryOperator;

/**
 * The registers that depend on what became of requests and descriptors, as they must be after the
 * steps so far. There is one of this silicon and one of the recorded implementation, so that a
 * register may differ exactly where the two do. Confined to the thread that runs the case.
 */
final class UnitModel {
  private static final Fields CONTEXT_COMMAND =
      new Fields(
          ContextCommand.ICC.mask() >>> 32,
          ContextCommand.CAIG.mask() >>> 32,
          (ContextCommand.ICC.mask() | ContextCommand.CIRG.mask()) >>> 32);
  private static final Fields IOTLB_COMMAND =
      new Fields(
          IotlbCommand.IVT.mask() >>> 32,
          IotlbCommand.IAIG.mask() >>> 32,
          (IotlbCommand.IVT.mask()
                  | IotlbCommand.IIRG.mask()
                  | IotlbCommand.DID.mask()
                  | IotlbCommand.DW.mask()
                  | IotlbCommand.DR.mask())
              >>> 32);

  private final RemappingUnit unit;
  private final EventModel faultEvent;
  private final EventModel completion;
  private final FaultModel faults;
  private final QueueModel queue;
  private final CommandModel contexts;
  private final CommandModel translations;
  private final Window at;
  private final long addressBits;

  /**
   * @param memory reads a word where the machine has its descriptors
   * @param collapses whether faults of a requester with a pending one get no record
   */
  UnitModel(CaptureHost host, LongUnaryOperator memory, boolean collapses, Quirks quirks) {
    this.unit = host.unit();
    this.at = Window.of(unit.capabilities());
    this.addressBits =
        unit.settings().habits().dropsHighAddressBits()
            ? (1L << unit.settings().hostAddressWidth()) - 1
            : -1L;
    this.faultEvent =
        new EventModel(() -> message(Register.FEUADDR, Register.FEADDR, Register.FEDATA));
    this.completion =
        new EventModel(() -> message(Register.IEUADDR, Register.IEADDR, Register.IEDATA));
    this.faults = new FaultModel(faultEvent, unit.capabilities().faultRecords(), collapses);
    this.queue = new QueueModel(host, memory, faults, completion, quirks);
    this.contexts = new CommandModel(CONTEXT_COMMAND, quirks);
    this.translations = new CommandModel(IOTLB_COMMAND, quirks);
  }

  private InterruptMessage message(Register high, Register low, Register data) {
    long address =
        (long) unit.read32(high.offset()) << Integer.SIZE
            | Integer.toUnsignedLong(unit.read32(low.offset()));
    return InterruptMessage.written(address, unit.read32(data.offset()));
  }

  /** A request was blocked, and FPD does not keep that from software. */
  void record(FaultRecord fault) {
    faults.record(fault);
  }

  /** Software has stored; {@code before} is what the upper half of a command register held. */
  void write(RegisterWrite write, long before) {
    half(write.offset(), write.value() & 0xffff_ffffL, before);
    if (write.bytes() == Long.BYTES) {
      half(write.offset() + Integer.BYTES, write.value() >>> Integer.SIZE, before);
    }
  }

  private void half(int word, long value, long before) {
    if (word == at.contextCommand()) {
      contexts.write(value, before, queue.isEnabled());
    } else if (word == at.iotlbCommand()) {
      translations.write(value, before, queue.isEnabled());
    } else if (at.isFaultTrigger(word)) {
      faults.writeRecord(at.faultIndex(word), value << Integer.SIZE);
    } else {
      fixed(word, value);
    }
  }

  private void fixed(int word, long value) {
    if (word == Register.GCMD.offset()) {
      command(value);
    } else if (word == Register.FSTS.offset()) {
      boolean stopped = faults.hasQueueError();
      faults.writeStatus(value);
      queue.writeStatus(stopped && !faults.hasQueueError());
    } else if (word == Register.FECTL.offset()) {
      faultEvent.writeControl(value);
    } else if (word == Register.IECTL.offset()) {
      completion.writeControl(value);
    } else if (word == Register.ICS.offset()) {
      queue.writeCompletion(value);
    } else if (word == Register.IQT.offset()) {
      queue.writeTail(value);
    } else if (word - word % Long.BYTES == Register.IQA.offset()) {
      queue.writeAddress();
    }
  }

  private void command(long value) {
    if (GlobalCommand.SRTP.isSet(value)) {
      queue.useScalableMode(
          RootTableAddress.mode(unit.read64(Register.RTADDR.offset()))
              == RootTableAddress.Mode.SCALABLE);
    }
    queue.enable(GlobalCommand.QIE.isSet(value), unit.read64(Register.IQA.offset()) & addressBits);
  }

  /** The bits of a 32-bit word of which {@link #word} says what they must be. */
  static long modelled(int offset) {
    return offset == Register.GSTS.offset() ? GlobalCommand.QIE.mask() : 0xffff_ffffL;
  }

  /** What a 32-bit word of the window must hold; empty where this model does not say. */
  OptionalLong word(int offset) {
    if (at.isFaultRecord(offset)) {
      FaultRecord record = faults.record(at.faultIndex(offset));
      long half = offset % FaultRecord.BYTES < Long.BYTES ? record.lo() : record.hi();
      return OptionalLong.of(offset % Long.BYTES == 0 ? half & 0xffff_ffffL : half >>> 32);
    }
    if (offset == at.contextCommand()) {
      return contexts.word();
    }
    if (offset == at.iotlbCommand()) {
      return translations.word();
    }
    return offset == Register.FSTS.offset()
        ? OptionalLong.of(faults.status())
        : offset == Register.FECTL.offset()
            ? OptionalLong.of(faultEvent.control())
            : ofQueue(offset);
  }

  private OptionalLong ofQueue(int offset) {
    if (offset == Register.IQH.offset()) {
      return OptionalLong.of(queue.head());
    }
    if (offset == Register.IQT.offset()) {
      return OptionalLong.of(queue.tail());
    }
    if (offset == Register.ICS.offset()) {
      return OptionalLong.of(queue.completionStatus());
    }
    if (offset == Register.IECTL.offset()) {
      return OptionalLong.of(completion.control());
    }
    return offset == Register.GSTS.offset()
        ? OptionalLong.of(GlobalCommand.QIE.of(queue.isEnabled() ? 1 : 0))
        : OptionalLong.empty();
  }

  /** What waits have stored since the last call. */
  List<QueueModel.Status> takeWritten() {
    return queue.takeWritten();
  }

  /** The messages that the unit has sent since the last call. */
  List<InterruptMessage> takeSent() {
    List<InterruptMessage> sent = new ArrayList<>(faultEvent.takeSent());
    sent.addAll(completion.takeSent());
    return sent;
  }
}
