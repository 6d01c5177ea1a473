package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One fault recording register, FRCD_REG. Immutable.
 *
 * <p>While {@link #F} is clear the other fields mean nothing.
 *
 * @see "VT-d §11.4.7.6"
 */
public record FaultRecord(long lo, long hi) {
  /** Bytes of one record. */
  public static final int BYTES = 16;

  /** Input page of a DMA fault. */
  public static final BitField FI = bits("FI", 63, 12);

  public static final WordLayout LO = WordLayout.covering("FRCD.lo", reserved(11, 0), FI);

  public static final BitField SID = bits("SID", 15, 0);
  public static final BitField T2 = bit("T2", 28);
  public static final BitField PRIV = bit("PRIV", 29);
  public static final BitField EXE = bit("EXE", 30);
  public static final BitField PP = bit("PP", 31);
  public static final BitField FR = bits("FR", 39, 32);
  public static final BitField PV = bits("PV", 59, 40);
  public static final BitField AT = bits("AT", 61, 60);
  public static final BitField T1 = bit("T1", 62);
  public static final BitField F = bit("F", 63);

  public static final WordLayout HI =
      WordLayout.covering("FRCD.hi", SID, reserved(27, 16), T2, PRIV, EXE, PP, FR, PV, AT, T1, F);

  /** Where an interrupt fault keeps the interrupt's index. */
  private static final BitField INTERRUPT_INDEX = bits("IDX", 63, 48);

  /** The record of a blocked memory request without PASID. */
  public static FaultRecord dma(
      SourceId requester, long iova, DmaAccess access, FaultReason reason) {
    return new FaultRecord(dmaLo(iova), dmaHi(requester.value(), PasidPrefix.NONE, access, reason));
  }

  /** The record of a blocked interrupt request. */
  public static FaultRecord interrupt(SourceId requester, int index, FaultReason reason) {
    return new FaultRecord(
        INTERRUPT_INDEX.of(index), F.of(1) | FR.of(reason.code()) | SID.of(requester.value()));
  }

  /** First word of a blocked memory request's record. */
  public static long dmaLo(long iova) {
    return FI.inPlace(iova);
  }

  /** Second word of a blocked memory request's record. */
  public static long dmaHi(int sourceId, PasidPrefix prefix, DmaAccess access, FaultReason reason) {
    int type = access.type().encoding();
    return F.of(1)
        | PP.of(prefix.present() ? 1 : 0)
        | PV.of(prefix.pasid())
        | PRIV.of(prefix.privileged() ? 1 : 0)
        | EXE.of(prefix.execute() ? 1 : 0)
        | T1.of(type >>> 1)
        | T2.of(type & 1)
        | AT.of(access.addressType().encoding())
        | FR.of(reason.code())
        | SID.of(sourceId);
  }

  /** Whether the record waits for software. */
  public boolean isPending() {
    return F.isSet(hi);
  }

  public SourceId sourceId() {
    return new SourceId(SID.getInt(hi));
  }

  /** The input page of a DMA fault. */
  public long iova() {
    return FI.inPlace(lo);
  }

  /** The index of an interrupt fault. */
  public int interruptIndex() {
    return INTERRUPT_INDEX.getInt(lo);
  }

  /** The raw reason number. */
  public int reasonCode() {
    return FR.getInt(hi);
  }

  /** The reason; empty for a number that the architecture gives to none we know. */
  public Optional<FaultReason> reason() {
    return FaultReason.of(reasonCode());
  }

  /** Whether a read, an atomic or a translation request was blocked rather than a plain write. */
  public boolean isRead() {
    return T1.isSet(hi);
  }

  /** The address space that the request named. */
  public PasidPrefix prefix() {
    return PP.isSet(hi)
        ? new PasidPrefix(true, PV.getInt(hi), PRIV.isSet(hi), EXE.isSet(hi))
        : PasidPrefix.NONE;
  }

  /** Names and values of the fields of both words. */
  public Map<String, Word> decode() {
    Map<String, Word> fields = new LinkedHashMap<>(LO.decode(lo));
    fields.putAll(HI.decode(hi));
    return fields;
  }
}
