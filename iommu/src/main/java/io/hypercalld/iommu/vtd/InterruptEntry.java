package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.interrupt.DeliveryMode;
import io.hypercalld.iommu.pci.SourceId;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One entry of the interrupt-remapping table: an interrupt for a processor, or one posted to a
 * descriptor in memory. Immutable.
 *
 * <pre>
 *          63           38 37     32 31 24 23 16 15 14    12 11   8 7  5 4  3  2  1   0
 *         +---------------+---------+-----+-----+--+--------+------+----+--+--+--+---+-+
 * lo      |           DST           |  -  |  V  |IM|   -    |AVAIL |DLM |TM|RH|DM|FPD|P|   IM = 0
 *         +---------------+---------+-----+-----+--+---+----+------+----+--+--+--+---+-+
 * lo      |     PDA_L     |    -    |  -  |  V  |IM|URG| -  |AVAIL |       -     |FPD|P|   IM = 1
 *         +---------------+---------+-----+-----+--+---+----+------+-------------+---+-+
 * hi      |          PDA_H          |     -     SVT 19:18  SQ 17:16      SID 15:0      |
 *         +-------------------------+---------------------------------------------------+
 * </pre>
 *
 * @see "VT-d §9.9, §9.10"
 */
public record InterruptEntry(long lo, long hi) {
  /** Bytes of one entry. */
  public static final int BYTES = 16;

  public static final BitField P = bit("P", 0);
  public static final BitField FPD = bit("FPD", 1);
  public static final BitField DM = bit("DM", 2);
  public static final BitField RH = bit("RH", 3);
  public static final BitField TM = bit("TM", 4);
  public static final BitField DLM = bits("DLM", 7, 5);
  public static final BitField AVAIL = bits("AVAIL", 11, 8);

  /** Interrupt mode: the entry posts. */
  public static final BitField IM = bit("IM", 15);

  public static final BitField V = bits("V", 23, 16);

  /** Destination: a 32-bit id in extended mode, else an 8-bit one in {@link #XAPIC_DST}. */
  public static final BitField DST = bits("DST", 63, 32);

  /** Urgent: notifies although SN is set. */
  public static final BitField URG = bit("URG", 14);

  public static final BitField PDA_L = bits("PDA_L", 63, 38);
  public static final BitField SID = bits("SID", 15, 0);
  public static final BitField SQ = bits("SQ", 17, 16);
  public static final BitField SVT = bits("SVT", 19, 18);
  public static final BitField PDA_H = bits("PDA_H", 63, 32);

  public static final WordLayout REMAPPED_LO =
      WordLayout.covering(
          "interrupt-entry.lo",
          P,
          FPD,
          DM,
          RH,
          TM,
          DLM,
          AVAIL,
          reserved(14, 12),
          IM,
          V,
          reserved(31, 24),
          DST);
  public static final WordLayout REMAPPED_HI =
      WordLayout.covering("interrupt-entry.hi", SID, SQ, SVT, reserved(63, 20));
  public static final WordLayout POSTED_LO =
      WordLayout.covering(
          "posted-interrupt-entry.lo",
          P,
          FPD,
          reserved(7, 2),
          AVAIL,
          reserved(13, 12),
          URG,
          IM,
          V,
          reserved(37, 24),
          PDA_L);
  public static final WordLayout POSTED_HI =
      WordLayout.covering("posted-interrupt-entry.hi", SID, SQ, SVT, reserved(31, 20), PDA_H);

  /** The entry that blocks its interrupt. */
  public static final InterruptEntry ABSENT = new InterruptEntry(0, 0);

  private static final BitField XAPIC_DST = bits("xAPIC DST", 47, 40);
  private static final long BEYOND_XAPIC_DST = DST.mask() & ~XAPIC_DST.mask();
  private static final int PDA_L_SHIFT = PDA_L.lsb() - PostedDescriptor.ALIGNMENT_BITS;
  private static final BitField REQUESTER_BUS = bits("bus", 15, 8);
  private static final BitField FIRST_BUS = bits("first bus", 15, 8);
  private static final BitField LAST_BUS = bits("last bus", 7, 0);

  /** What SVT has hardware check of a requester. */
  public enum SourceValidation {
    NONE(0),

    /** The source-id, less the function bits that SQ names. */
    SOURCE_ID(1),

    /** The bus alone, against a range. */
    BUS_RANGE(2),
    RESERVED(3);

    private static final SourceValidation[] BY_ENCODING = values();

    private final int encoding;

    SourceValidation(int encoding) {
      this.encoding = encoding;
    }
  }

  /** The source-id bits that each value of SQ leaves to compare. */
  private static final int[] COMPARED = {0xffff, 0xfffb, 0xfff9, 0xfff8};

  /**
   * An entry that sends an interrupt to a processor.
   *
   * @param extended whether IRTA.EIME is set, which decides where the destination lies
   */
  public static InterruptEntry remapped(InterruptMessage message, boolean extended) {
    BitField destination = extended ? DST : XAPIC_DST;
    return new InterruptEntry(
        P.of(1)
            | DM.of(message.logical() ? 1 : 0)
            | RH.of(message.redirectable() ? 1 : 0)
            | TM.of(message.levelTriggered() ? 1 : 0)
            | DLM.of(message.mode())
            | V.of(message.vector())
            | destination.of(Integer.toUnsignedLong(message.destination())),
        0);
  }

  /**
   * An entry that posts a virtual interrupt.
   *
   * @param descriptor machine address of the descriptor, a multiple of 64
   * @param vector virtual vector
   */
  public static InterruptEntry posted(long descriptor, int vector, boolean urgent) {
    return new InterruptEntry(
        P.of(1)
            | IM.of(1)
            | URG.of(urgent ? 1 : 0)
            | V.of(vector)
            | PDA_L.inPlace(descriptor << PDA_L_SHIFT),
        PDA_H.inPlace(descriptor));
  }

  /**
   * The same for one requester only.
   *
   * @param functionMask SQ: 0 exact, 1 to 3 ignore bit 2, bits 2:1, bits 2:0 of the source-id
   */
  public InterruptEntry from(SourceId requester, int functionMask) {
    return checking(SourceValidation.SOURCE_ID, requester.value(), functionMask);
  }

  /** The same for requesters on these buses only, both inclusive. */
  public InterruptEntry fromBuses(int first, int last) {
    return checking(SourceValidation.BUS_RANGE, (int) (FIRST_BUS.of(first) | LAST_BUS.of(last)), 0);
  }

  private InterruptEntry checking(SourceValidation validation, int sourceId, int qualifier) {
    long source = SID.of(sourceId) | SQ.of(qualifier) | SVT.of(validation.encoding);
    return new InterruptEntry(lo, SVT.clear(SQ.clear(SID.clear(hi))) | source);
  }

  public boolean isPresent() {
    return P.isSet(lo);
  }

  /** FPD: qualified faults of this entry are not recorded; valid although the entry is absent. */
  public boolean disablesFaultProcessing() {
    return FPD.isSet(lo);
  }

  public boolean isPosted() {
    return IM.isSet(lo);
  }

  /** Whether a bit that must be zero is set, or a field holds a value that means nothing. */
  public boolean hasReservedBits(boolean extended) {
    if (validation() == SourceValidation.RESERVED) {
      return true;
    }
    if (isPosted()) {
      return POSTED_LO.hasReservedBits(lo) || POSTED_HI.hasReservedBits(hi);
    }
    return REMAPPED_LO.hasReservedBits(lo)
        || REMAPPED_HI.hasReservedBits(hi)
        || (!extended && (lo & BEYOND_XAPIC_DST) != 0)
        || DeliveryMode.of(mode()).isEmpty();
  }

  /** Whether the entry takes interrupts of this requester; SVT's reserved value takes none. */
  public boolean accepts(SourceId requester) {
    int compared = COMPARED[SQ.getInt(hi)];
    return switch (validation()) {
      case NONE -> true;
      case SOURCE_ID -> ((requester.value() ^ SID.getInt(hi)) & compared) == 0;
      case BUS_RANGE -> {
        int bus = REQUESTER_BUS.getInt(requester.value());
        yield FIRST_BUS.getInt(hi) <= bus && bus <= LAST_BUS.getInt(hi);
      }
      case RESERVED -> false;
    };
  }

  public SourceValidation validation() {
    return SourceValidation.BY_ENCODING[SVT.getInt(hi)];
  }

  /** Whether the entry takes interrupts of the same requesters as another one. */
  public boolean acceptsSameAs(InterruptEntry other) {
    return ((hi ^ other.hi) & (SID.mask() | SQ.mask() | SVT.mask())) == 0;
  }

  /** The source-id that {@link #accepts} compares, or the bus range. */
  public int sourceId() {
    return SID.getInt(hi);
  }

  /** The interrupt's vector; a virtual one where the entry posts. */
  public int vector() {
    return V.getInt(lo);
  }

  /** Whether a posted interrupt notifies although the descriptor suppresses it. */
  public boolean isUrgent() {
    return URG.isSet(lo);
  }

  private int mode() {
    return DLM.getInt(lo);
  }

  /** Machine address of the descriptor to which the entry posts. */
  public long descriptor() {
    return PDA_H.inPlace(hi) | PDA_L.inPlace(lo) >>> PDA_L_SHIFT;
  }

  /**
   * The interrupt that the entry sends.
   *
   * @param extended whether the destination has 32 bits
   */
  public InterruptMessage message(boolean extended) {
    return new InterruptMessage(
        vector(),
        mode(),
        DM.isSet(lo),
        (int) (extended ? DST : XAPIC_DST).get(lo),
        RH.isSet(lo),
        TM.isSet(lo),
        true);
  }

  /** Names and values of the fields of both words. */
  public Map<String, Word> decode() {
    Map<String, Word> fields =
        new LinkedHashMap<>((isPosted() ? POSTED_LO : REMAPPED_LO).decode(lo));
    fields.putAll((isPosted() ? POSTED_HI : REMAPPED_HI).decode(hi));
    return fields;
  }
}
