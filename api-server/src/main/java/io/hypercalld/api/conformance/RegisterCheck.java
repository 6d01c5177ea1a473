package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Message;
import io.hypercalld.api.conformance.CorpusCase.Step.RegisterWrite;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Holds registers, messages and the status words of waits to a recording. Where this silicon and
 * the recorded implementation went different legal ways, each is held to the model of its own way.
 * Confined to the thread that runs the case.
 */
final class RegisterCheck {
  private static final long HALF = 0xffff_ffffL;

  private final CaptureHost host;
  private final RemappingUnit unit;
  private final RecordedMemory memory;
  private final Report report;
  private final Window at;
  private final RegisterFreedoms freedoms;
  private final UnitModel ours;
  private final UnitModel theirs;

  /** What made the models differ last. */
  private String cause = "";

  RegisterCheck(CaptureHost host, RecordedMemory memory, Report report) {
    this.host = host;
    this.unit = host.unit();
    this.memory = memory;
    this.report = report;
    this.at = Window.of(unit.capabilities());
    this.freedoms = new RegisterFreedoms(unit.capabilities(), at);
    boolean collapses = unit.settings().habits().collapsesFaults();
    this.ours = new UnitModel(host, host::word, collapses, Quirks.NONE);
    this.theirs =
        new UnitModel(
            host,
            memory::word,
            true,
            new Quirks.Recorded(Recorder.isNewer(unit.capabilities()), this::use));
  }

  private void use(Freedom freedom) {
    report.freedom(freedom);
    cause = freedom.effect();
  }

  /** From here on registers may differ for this reason, as far as the models do. */
  void diverge(String why) {
    cause = why;
  }

  /** This silicon has blocked a request, and FPD did not keep that from software. */
  void blocked(FaultRecord fault) {
    ours.record(fault);
  }

  /** The recorded implementation has reported a fault. */
  void reported(FaultRecord fault) {
    theirs.record(fault);
  }

  /** The same of a request whose requester has this RID_PASID. */
  void reported(FaultRecord fault, int requestPasid) {
    freedoms.requestPasid(requestPasid);
    reported(fault);
  }

  /** Stores, and holds the status words of waits and the messages sent to the recording. */
  Optional<Mismatch> write(RegisterWrite write) {
    long held = Integer.toUnsignedLong(unit.read32(upperHalf(write)));
    freedoms.stored(write);
    ours.write(write, held);
    theirs.write(
        write,
        freedoms.of(upperHalf(write), held, held).map(RegisterFreedoms.Changed::word).orElse(held));
    List<QueueModel.Status> statuses = new ArrayList<>(ours.takeWritten());
    List<QueueModel.Status> recorded = theirs.takeWritten();
    statuses.addAll(recorded);
    List<byte[]> before =
        statuses.stream().map(each -> memory.read(each.maddr(), Integer.BYTES)).toList();
    if (write.bytes() == Long.BYTES) {
      unit.write64(write.offset(), write.value());
    } else {
      unit.write32(write.offset(), (int) write.value());
    }
    for (int index = 0; index < statuses.size(); index++) {
      memory.has(statuses.get(index).maddr(), before.get(index));
    }
    recorded.forEach(status -> memory.has(status.maddr(), Bytes.of(status.data())));
    return messages(write.messages());
  }

  private static int upperHalf(RegisterWrite write) {
    return write.offset() + write.bytes() - Integer.BYTES;
  }

  /** The messages that the unit sent on its own account since the last call. */
  Optional<Mismatch> messages(List<Message> recorded) {
    List<InterruptMessage> listed =
        recorded.stream()
            .map(each -> InterruptMessage.written(each.address(), each.data()))
            .toList();
    List<InterruptMessage> got = host.takeMessages();
    List<InterruptMessage> due = ours.takeSent();
    List<InterruptMessage> was = theirs.takeSent();
    boolean right = due.equals(was) ? got.equals(listed) : got.equals(due) && listed.equals(was);
    if (!due.equals(was)) {
      report.consequence(cause);
    }
    return right
        ? Optional.empty()
        : Optional.of(new Mismatch("messages", listed.toString(), got.toString()));
  }

  /** FSTS and the fault record. */
  Optional<Mismatch> compare(CorpusCase.FaultRegisters recorded) {
    return compare("FSTS", Register.FSTS.offset(), Integer.BYTES, recorded.status())
        .or(() -> compare("FRCD.lo", at.faultRecord(), Long.BYTES, recorded.lo()))
        .or(() -> compare("FRCD.hi", at.faultRecord() + Long.BYTES, Long.BYTES, recorded.hi()));
  }

  /** One register of 4 or 8 bytes. */
  Optional<Mismatch> compare(String name, int offset, int bytes, long recorded) {
    boolean wide = bytes == Long.BYTES;
    long got = wide ? read64(offset) : read32(offset);
    boolean right = agrees(offset, recorded & HALF, got & HALF);
    if (wide) {
      right &= agrees(offset + Integer.BYTES, recorded >>> 32, got >>> 32);
    }
    return right
        ? Optional.empty()
        : Optional.of(new Mismatch(name, Hex.of(recorded), Hex.of(got)));
  }

  private long read32(int offset) {
    return host.instruments().word(offset, Integer.toUnsignedLong(unit.read32(offset)));
  }

  private long read64(int offset) {
    long there = unit.read64(offset);
    Instruments instruments = host.instruments();
    return instruments.word(offset + Integer.BYTES, there >>> Integer.SIZE) << Integer.SIZE
        | instruments.word(offset, there & HALF);
  }

  /** Whether one 32-bit word is right, and the recording as it must be. */
  private boolean agrees(int word, long recorded, long got) {
    long modelled = UnitModel.modelled(word);
    long due = ours.word(word).orElse(got) & modelled;
    long was = theirs.word(word).orElse(got) & modelled;
    if (due == was) {
      return isFree(word, recorded, got);
    }
    report.consequence(
        isClipped(word, due ^ was) ? Freedom.FAULT_ADDRESS_NOT_CLIPPED.effect() : cause);
    return (got & modelled) == due && isFree(word, recorded, (got & ~modelled) | was);
  }

  /** Whether a recorded word is the one that is due, or what a freedom makes of it. */
  private boolean isFree(int word, long recorded, long due) {
    if (recorded == due) {
      return true;
    }
    Optional<RegisterFreedoms.Changed> changed =
        freedoms.of(word, due, recorded).filter(each -> each.word() == recorded);
    changed.ifPresent(each -> report.freedom(each.freedom()));
    return changed.isPresent();
  }

  /** Whether only address bits of a fault record differ that the guest address width lacks. */
  private boolean isClipped(int word, long difference) {
    int width = unit.capabilities().maximumGuestAddressWidth();
    boolean high = (word - at.faultRecord()) % FaultRecord.BYTES == Integer.BYTES;
    return at.isFaultRecord(word) && high && (difference << Integer.SIZE) % (1L << width) == 0;
  }
}
