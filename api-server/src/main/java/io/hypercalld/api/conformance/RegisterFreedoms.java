package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.Consequence.Registers;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import java.util.List;

/** Bits that the recorded implementations are known to fill differently, whatever went before. */
final class RegisterFreedoms {
  private static final int UPPER = Integer.BYTES;

  /**
   * Bits of a 32-bit word that may differ.
   *
   * @param deviation its name
   */
  record Freedom(long bits, String deviation) {}

  private final RemappingUnit unit;
  private final Registers at;

  RegisterFreedoms(RemappingUnit unit, Registers at) {
    this.unit = unit;
    this.at = at;
  }

  /**
   * What may differ in a word of the window that differs.
   *
   * @param word byte offset, a multiple of 4
   * @param recorded the word in the recording
   * @param got the word on this unit
   */
  List<Freedom> of(int word, long recorded, long got) {
    if (at.isFaultRecord(word)) {
      return List.of(word < at.faultRecord() + Long.BYTES ? clipped(word) : pasid(word));
    }
    if (word == Register.CCMD.offset() + UPPER) {
      return coarser(ContextCommand.CAIG.mask() >>> 32, recorded, got);
    }
    if (word == at.iotlb() + UPPER) {
      return coarser(IotlbCommand.IAIG.mask() >>> 32, recorded, got);
    }
    if (word == Register.GSTS.offset()) {
      return List.of(new Freedom(commands(got), "commands-without-effect"));
    }
    if (word - word % Long.BYTES == Register.IRTA.offset()) {
      return interruptTable();
    }
    if (word == Register.IEDATA.offset()) {
      return List.of(new Freedom(~EventControl.IMD.mask(), "event-message-not-masked"));
    }
    if (word == Register.FEUADDR.offset() || word == Register.IEUADDR.offset()) {
      return List.of(new Freedom(recorded == 0 ? got : 0, "event-message-not-masked"));
    }
    boolean ring = word - word % Long.BYTES == Register.IQA.offset();
    return ring ? halfWritten(word) : List.of();
  }

  /** CFI was not recorded, and commands of interrupt remapping even without it. */
  private long commands(long got) {
    long remapping = GlobalCommand.SIRTP.mask() | GlobalCommand.IRE.mask();
    return unit.capabilities().interruptRemapping()
        ? GlobalCommand.CFI.mask() & got
        : remapping | GlobalCommand.CFI.mask();
  }

  /** The table's address is kept without interrupt remapping, and EIME without extended mode. */
  private List<Freedom> interruptTable() {
    if (!unit.capabilities().interruptRemapping()) {
      return List.of(new Freedom(-1L, "commands-without-effect"));
    }
    return unit.capabilities().extendedInterruptMode()
        ? List.of()
        : List.of(new Freedom(InterruptTableAddress.EIME.mask(), "eime-without-eim"));
  }

  /** Hardware may do more than it is asked to, and then says so; it may not say that it did not. */
  private static List<Freedom> coarser(long mask, long recorded, long got) {
    boolean both = (recorded & mask) != 0 && (got & mask) != 0;
    return both ? List.of(new Freedom(mask, "coarser-invalidation")) : List.of();
  }

  /** Address bits beyond the guest address width mean nothing in a record. */
  private Freedom clipped(int word) {
    long beyond = -1L << unit.capabilities().maximumGuestAddressWidth();
    long half = word == at.faultRecord() ? beyond : beyond >>> 32;
    return new Freedom(half & 0xffff_ffffL, "fault-address-not-clipped");
  }

  /** Without a PASID in the request the record's PASID means nothing. */
  private Freedom pasid(int word) {
    long got = unit.read64(at.faultRecord() + Long.BYTES);
    long stray = FaultRecord.PP.isSet(got) ? 0 : FaultRecord.PP.mask() | FaultRecord.PV.mask();
    boolean low = word == at.faultRecord() + Long.BYTES;
    return new Freedom(low ? stray & 0xffff_ffffL : stray >>> 32, "frcd-pasid");
  }

  /** A 32-bit store to the ring's address keeps its size only. */
  private static List<Freedom> halfWritten(int word) {
    long address = InvalidationQueueFields.IQA.mask() | InvalidationQueueFields.DW.mask();
    long half = word == Register.IQA.offset() ? address & 0xffff_ffffL : address >>> 32;
    return List.of(new Freedom(half, "queue-address-by-halves"));
  }
}
