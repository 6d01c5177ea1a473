package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.FaultReason;
import io.hypercalld.iommu.vtd.FaultRecord;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One case of a corpus: a machine, what was done to it, and what must come of it. Immutable.
 *
 * @param cap CAP of the unit
 * @param ecap ECAP of the unit
 * @param hostAddressWidth bits
 * @param devices requester ids by index
 * @param fills pages whose words hold their own address
 * @param memory the words that differ from zero
 * @param finalRegisters registers after the last step, by the corpus' names
 */
record CorpusCase(
    String id,
    long cap,
    long ecap,
    int hostAddressWidth,
    List<Integer> devices,
    List<Fill> fills,
    List<Word> memory,
    List<Step> steps,
    Map<String, Long> finalRegisters) {

  /** A 64-bit word of memory. */
  record Word(long address, long value) {}

  /** A range whose words hold their own address below a pattern. */
  record Fill(long address, long bytes) {}

  /** A message that the unit sent on its own account. */
  record Message(long address, int data) {}

  /** FSTS and the one fault record. */
  record FaultRegisters(long status, long lo, long hi) {}

  /**
   * What the specification says of an interrupt request.
   *
   * @param delivered whether it reaches a processor
   * @param fields what the processor sees, by the corpus' names; empty where it is blocked
   * @param reason of the block
   * @param suppressed whether FPD keeps the block from software
   */
  record InterruptRule(
      boolean delivered, Map<String, Long> fields, int reason, boolean suppressed) {}

  /**
   * One request of a DMA, in one page.
   *
   * @param observed what the recorded implementation did; empty where that is unknown
   * @param landed where the written bytes were found
   * @param allowed what the specification allows; empty where the recording does not say
   * @param walked what a walk of the tables as they are comes to; one of what is allowed
   * @param suppressedReason why that walk is blocked, where FPD keeps the fault from software
   * @param updates entries as they must be after a successful first-stage walk
   * @param deviation why the observation is outside of what is allowed
   * @param reported the fault that the recorded implementation reported to software
   * @param cached whether its IOTLB served the request
   */
  record Segment(
      long iova,
      Optional<Outcome> observed,
      List<Long> landed,
      List<Outcome> allowed,
      Optional<Outcome> walked,
      Optional<Integer> suppressedReason,
      List<Word> updates,
      Optional<String> deviation,
      Optional<FaultRecord> reported,
      boolean cached,
      Exemption exemption) {
    /** Why nobody knows what the recorded implementation did. */
    String unobservable() {
      return cached
          ? "unobservable in the recording: served by its IOTLB"
          : "unobservable in the recording: no trace of a translation and no data";
    }

    /** Why a segment is not compared as others are. */
    enum Exemption {
      NONE,
      UNOBSERVABLE,
      BUS_MASTER_OFF,
      INTERRUPT_RANGE
    }
  }

  /** One thing that was done. */
  sealed interface Step {
    /** A register write; {@code bytes} is 4 or 8. */
    record RegisterWrite(int offset, int bytes, long value, List<Message> messages)
        implements Step {}

    /** A register read; {@code bytes} is 4 or 8. */
    record RegisterRead(int offset, int bytes, long value) implements Step {}

    /** Software wrote memory. */
    record MemoryEdit(List<Word> words) implements Step {}

    /** Software read a word. */
    record MemoryRead(Word word) implements Step {}

    /** A device's read or write. */
    record Dma(Transfer transfer, List<Segment> segments, After after, Updates updates)
        implements Step {}

    /** A device's interrupt message. */
    record Msi(Transfer transfer, After after) implements Step {}

    /** A device's command register was written. */
    record CommandWrite(int device, boolean busMaster) implements Step {}

    /** The fault registers were read. */
    record FaultCheck(FaultRegisters registers) implements Step {}

    /** Something that this program does not know. */
    record Unknown(String operation) implements Step {}
  }

  /**
   * The bytes of a DMA.
   *
   * @param data written, or received; empty where it was not recorded
   * @param fills pages that were filled just before
   */
  record Transfer(int device, boolean write, long iova, int length, Bytes data, List<Fill> fills) {}

  /**
   * What software saw afterwards.
   *
   * @param rule of the interrupt, where the request was one
   * @param deviation why the recorded implementation did otherwise with the interrupt
   * @param blocked whether it blocked the interrupt
   * @param reason the reason that it told, where that is known
   */
  record After(
      Optional<FaultRegisters> registers,
      List<Message> messages,
      Optional<InterruptRule> rule,
      Optional<String> deviation,
      boolean blocked,
      Optional<FaultReason> reason) {
    After withoutMessages() {
      return new After(registers, List.of(), rule, deviation, blocked, reason);
    }
  }

  /**
   * Accessed and dirty bits.
   *
   * @param checked whether the recording looked at them at all
   * @param made what the recorded implementation changed
   * @param deviation why the recorded implementation did otherwise
   */
  record Updates(boolean checked, List<Change> made, Optional<String> deviation) {}

  /** A word of memory that changed. */
  record Change(long address, long before, long after) {}
}
