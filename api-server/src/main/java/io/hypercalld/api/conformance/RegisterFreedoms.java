package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.CorpusCase.Step.RegisterWrite;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationGranularity;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.Register;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Registers that the recorded implementations are known to fill differently, whatever requests and
 * descriptors came to: which value exactly, and by which freedom. Confined to the thread that runs
 * the case.
 */
final class RegisterFreedoms {
  private static final int UPPER = Integer.BYTES;
  private static final long ALL = 0xffff_ffffL;

  /** What the older implementation has instead of a PASID in legacy mode. */
  private static final long ALL_ONES = 0xffff;

  /** A word as a freedom makes it of one by the specification. */
  record Changed(long word, Freedom freedom) {}

  /** The last store to a 32-bit word. */
  private record Store(long value, int bytes) {}

  private final Capabilities capabilities;
  private final boolean newer;
  private final Window at;
  private final Map<Integer, Store> stores = new HashMap<>();

  /** RID_PASID of requesters in scalable mode so far. */
  private final Set<Integer> pasids = new HashSet<>();

  RegisterFreedoms(Capabilities capabilities, Window at) {
    this.capabilities = capabilities;
    this.newer = Recorder.isNewer(capabilities);
    this.at = at;
  }

  /** A requester's context entry names this PASID. */
  void requestPasid(int pasid) {
    pasids.add(pasid);
  }

  void stored(RegisterWrite write) {
    stores.put(write.offset(), new Store(write.value() & ALL, write.bytes()));
    if (write.bytes() == Long.BYTES) {
      stores.put(write.offset() + UPPER, new Store(write.value() >>> Integer.SIZE, Long.BYTES));
    }
  }

  /**
   * What the recorded implementation shows instead of {@code due}.
   *
   * @param word byte offset of a 32-bit word of the window
   * @param due what the word is by the specification
   * @param recorded what the recording has
   */
  Optional<Changed> of(int word, long due, long recorded) {
    if (at.isFaultRecord(word)) {
      return newer ? Optional.empty() : pasid(word, due, recorded);
    }
    if (word == at.contextCommand()) {
      return coarser(due);
    }
    if (word == Register.GSTS.offset()) {
      return status(due, recorded);
    }
    return word < Register.IRTA.offset() ? ofEvents(word, due) : ofInterruptTable(word, due);
  }

  /** Without a PASID in the request the record's PASID means nothing. */
  private Optional<Changed> pasid(int word, long due, long recorded) {
    int part = (word - at.faultRecord()) % FaultRecord.BYTES;
    if (part == Long.BYTES && capabilities.scalableMode()) {
      return Optional.of(new Changed(due | FaultRecord.PP.mask(), Freedom.FRCD_PASID));
    }
    if (part == Long.BYTES + UPPER) {
      long pasid = FaultRecord.PV.get(recorded << Integer.SIZE);
      boolean known = pasid == ALL_ONES || pasids.contains((int) pasid);
      long field = FaultRecord.PV.mask() >>> Integer.SIZE;
      return Optional.of(new Changed((due & ~field) | (recorded & field), Freedom.FRCD_PASID))
          .filter(_ -> known);
    }
    return Optional.empty();
  }

  private static Optional<Changed> coarser(long due) {
    long command = due << Integer.SIZE;
    int domain = InvalidationGranularity.DOMAIN.encoding();
    return ContextCommand.CIRG.getInt(command) == domain
            && ContextCommand.CAIG.getInt(command) == domain
        ? Optional.of(
            new Changed(
                ContextCommand.CAIG.put(command, InvalidationGranularity.GLOBAL.encoding())
                    >>> Integer.SIZE,
                Freedom.COARSER_CONTEXTS))
        : Optional.empty();
  }

  private Optional<Changed> status(long due, long recorded) {
    return capabilities.interruptRemapping()
        ? Optional.of(new Changed(GlobalCommand.CFI.clear(due), Freedom.NO_COMPATIBILITY_SWITCH))
        : Optional.of(
            new Changed(
                due | (recorded & (GlobalCommand.SIRTP.mask() | GlobalCommand.IRE.mask())),
                Freedom.INTERRUPT_TABLE_KEPT));
  }

  private Optional<Changed> ofEvents(int word, long due) {
    if (word == Register.IEDATA.offset()) {
      return written(word).map(all -> new Changed(all, Freedom.EVENT_DATA_NOT_MASKED));
    }
    if (word == Register.FEUADDR.offset() || word == Register.IEUADDR.offset()) {
      return Optional.of(new Changed(0, Freedom.EVENT_ADDRESS_LOST));
    }
    if (word - word % Long.BYTES != Register.IQA.offset()) {
      return Optional.empty();
    }
    boolean low = word == Register.IQA.offset();
    return bytesOfStore(word) == Integer.BYTES
        ? Optional.of(
            new Changed(
                low ? due & InvalidationQueueFields.QS.mask() : 0, Freedom.QUEUE_ADDRESS_BY_HALVES))
        : Optional.of(new Changed(InvalidationQueueFields.DW.clear(due), Freedom.QUEUE_WIDTH_LOST))
            .filter(_ -> low && !newer);
  }

  private int bytesOfStore(int word) {
    return Optional.ofNullable(stores.get(word)).map(Store::bytes).orElse(0);
  }

  private Optional<Long> written(int word) {
    return Optional.ofNullable(stores.get(word)).map(Store::value);
  }

  /** The table's address is kept without interrupt remapping, and EIME without extended mode. */
  private Optional<Changed> ofInterruptTable(int word, long due) {
    if (word - word % Long.BYTES != Register.IRTA.offset()) {
      return Optional.empty();
    }
    long fields =
        InterruptTableAddress.IRTA.mask()
            | InterruptTableAddress.EIME.mask()
            | InterruptTableAddress.S.mask();
    long half = word == Register.IRTA.offset() ? fields & ALL : fields >>> Integer.SIZE;
    if (!capabilities.interruptRemapping()) {
      return written(word).map(all -> new Changed(all & half, Freedom.INTERRUPT_TABLE_KEPT));
    }
    return written(word)
        .map(all -> all & half & InterruptTableAddress.EIME.mask())
        .map(mode -> new Changed(due | mode, Freedom.EXTENDED_MODE_KEPT));
  }
}
