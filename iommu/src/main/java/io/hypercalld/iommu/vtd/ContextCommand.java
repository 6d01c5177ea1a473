package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.iommu.pci.SourceId;
import java.util.Optional;

/**
 * CCMD_REG, the register form of a context-cache invalidation. Stateless.
 *
 * @see "VT-d §11.4.6.1"
 */
public final class ContextCommand {
  public static final BitField DID = bits("DID", 15, 0);
  public static final BitField SID = bits("SID", 31, 16);
  public static final BitField FM = bits("FM", 33, 32);

  /** What was done: an {@link InvalidationGranularity}. */
  public static final BitField CAIG = bits("CAIG", 60, 59);

  /** What is asked for: an {@link InvalidationGranularity}. */
  public static final BitField CIRG = bits("CIRG", 62, 61);

  public static final BitField ICC = bit("ICC", 63);

  public static final WordLayout LAYOUT =
      WordLayout.covering("CCMD", DID, SID, FM, reserved(58, 34), CAIG, CIRG, ICC);

  private ContextCommand() {}

  public static long global() {
    return command(InvalidationGranularity.GLOBAL);
  }

  public static long domain(int domainId) {
    return command(InvalidationGranularity.DOMAIN) | DID.of(domainId);
  }

  /**
   * One requester's entry, or with a mask up to eight of its functions' entries.
   *
   * @param domainId the one that the cached entry holds, not the one that replaces it
   * @param functionMask 0 exact, 1 to 3 ignore bit 2, bits 2:1, bits 2:0 of the source-id
   */
  public static long device(int domainId, SourceId requester, int functionMask) {
    return command(InvalidationGranularity.SELECTIVE)
        | DID.of(domainId)
        | SID.of(requester.value())
        | FM.of(functionMask);
  }

  /** What a command asks for; empty where CIRG names nothing. */
  public static Optional<Invalidation.OfContexts> decode(long command) {
    int domainId = DID.getInt(command);
    return switch (InvalidationGranularity.of(CIRG.getInt(command))) {
      case NONE -> Optional.empty();
      case GLOBAL -> Optional.of(new Invalidation.AllContexts());
      case DOMAIN -> Optional.of(new Invalidation.DomainContexts(domainId));
      case SELECTIVE ->
          Optional.of(
              new Invalidation.DeviceContexts(
                  domainId, new SourceId(SID.getInt(command)), FM.getInt(command)));
    };
  }

  private static long command(InvalidationGranularity granularity) {
    return ICC.of(1) | CIRG.of(granularity.encoding());
  }
}
