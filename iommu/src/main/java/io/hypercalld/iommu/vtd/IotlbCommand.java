package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import java.util.Optional;

/**
 * IOTLB_REG and IVA_REG, the register form of an IOTLB invalidation. Stateless.
 *
 * @see "VT-d §11.4.6.2, §11.4.6.3"
 */
public final class IotlbCommand {
  public static final BitField DID = bits("DID", 47, 32);
  public static final BitField DW = bit("DW", 48);
  public static final BitField DR = bit("DR", 49);

  /** What was done: an {@link InvalidationGranularity}. */
  public static final BitField IAIG = bits("IAIG", 58, 57);

  /** What is asked for: an {@link InvalidationGranularity}. */
  public static final BitField IIRG = bits("IIRG", 61, 60);

  public static final BitField IVT = bit("IVT", 63);

  public static final WordLayout LAYOUT =
      WordLayout.covering(
          "IOTLB",
          reserved(31, 0),
          DID,
          DW,
          DR,
          reserved(56, 50),
          IAIG,
          reserved(59, 59),
          IIRG,
          reserved(62, 62),
          IVT);

  public static final BitField AM = bits("AM", 5, 0);
  public static final BitField IH = bit("IH", 6);
  public static final BitField ADDR = bits("ADDR", 63, 12);

  public static final WordLayout ADDRESS_LAYOUT =
      WordLayout.covering("IVA", AM, IH, reserved(11, 7), ADDR);

  private IotlbCommand() {}

  /** Everything; reads and writes in flight are drained. */
  public static long global() {
    return command(InvalidationGranularity.GLOBAL);
  }

  /** One domain's translations; reads and writes in flight are drained. */
  public static long domain(int domainId) {
    return command(InvalidationGranularity.DOMAIN) | DID.of(domainId);
  }

  /** One domain's translations of the pages that IVA_REG names, which is written first. */
  public static long pages(int domainId) {
    return command(InvalidationGranularity.SELECTIVE) | DID.of(domainId);
  }

  /**
   * The value of IVA_REG.
   *
   * @param iova first address, a multiple of 2^(12+addressMask)
   * @param addressMask log2 of the number of 4 KiB pages
   * @param leavesOnly IH: no non-leaf entry of the range changed
   */
  public static long address(long iova, int addressMask, boolean leavesOnly) {
    return ADDR.of(iova >>> ADDR.lsb()) | AM.of(addressMask) | IH.of(leavesOnly ? 1 : 0);
  }

  /** A command: what IOTLB_REG and IVA_REG hold. */
  public record Words(long command, long address) {
    /** What it asks for; empty where IIRG names nothing. */
    public Optional<Invalidation.OfTranslations> decode() {
      int domainId = DID.getInt(command);
      return switch (InvalidationGranularity.of(IIRG.getInt(command))) {
        case NONE -> Optional.empty();
        case GLOBAL -> Optional.of(new Invalidation.AllTranslations());
        case DOMAIN -> Optional.of(new Invalidation.DomainTranslations(domainId));
        case SELECTIVE ->
            Optional.of(
                new Invalidation.PageTranslations(
                    domainId, ADDR.inPlace(address), AM.getInt(address), IH.isSet(address)));
      };
    }
  }

  private static long command(InvalidationGranularity granularity) {
    return IVT.of(1) | IIRG.of(granularity.encoding()) | DW.of(1) | DR.of(1);
  }
}
