package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.Register;

/**
 * Which registers may differ from a recording, after something before went another legal way than
 * the recorded implementation did. Immutable.
 */
enum Consequence {
  /** Another fault was recorded, or none: the log, its summary and its event. */
  FAULTS {
    @Override
    long mask(int word, Registers at) {
      if (at.isFaultRecord(word)) {
        return ALL;
      }
      return word == Register.FSTS.offset() ? FAULT_SUMMARY : eventPending(word);
    }
  },

  /** A register command waits, or was carried out. */
  COMMANDS {
    @Override
    long mask(int word, Registers at) {
      return word == Register.CCMD.offset() + 4 || word == at.iotlb() + 4 ? ALL : 0;
    }
  },

  /** The queue is on, or off. */
  QUEUE_SWITCH {
    @Override
    long mask(int word, Registers at) {
      return word == Register.GSTS.offset() ? GlobalCommand.QIE.mask() : QUEUE.mask(word, at);
    }
  },

  /** The queue stands elsewhere. */
  QUEUE {
    @Override
    long mask(int word, Registers at) {
      if (word == Register.FSTS.offset()) {
        return FaultStatus.IQE.mask();
      }
      if (word == Register.IECTL.offset()) {
        return EventControl.IP.mask();
      }
      boolean position =
          word == Register.IQH.offset()
              || word == Register.ICS.offset()
              || word == Register.IQERCD.offset();
      return position ? ALL : eventPending(word);
    }
  };

  /**
   * Where a unit has its movable registers.
   *
   * @param faultRecord byte offset of the first fault record
   * @param iotlb byte offset of the IOTLB register
   */
  record Registers(int faultRecord, int iotlb) {
    boolean isFaultRecord(int word) {
      return word >= faultRecord && word < faultRecord + FaultRecord.BYTES;
    }
  }

  private static final long ALL = 0xffff_ffffL;
  private static final long FAULT_SUMMARY =
      FaultStatus.PFO.mask() | FaultStatus.PPF.mask() | FaultStatus.FRI.mask();

  /**
   * The bits of a 32-bit word of the register window that may differ.
   *
   * @param word byte offset
   * @param at where the registers of this unit lie
   */
  abstract long mask(int word, Registers at);

  private static long eventPending(int word) {
    return word == Register.FECTL.offset() ? EventControl.IP.mask() : 0;
  }
}
