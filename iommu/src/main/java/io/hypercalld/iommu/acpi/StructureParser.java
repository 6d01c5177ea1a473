package io.hypercalld.iommu.acpi;

import io.hypercalld.core.errno.MalformedInput;
import java.util.List;
import java.util.Optional;

/** Reads one remapping structure whose length has been checked. Confined to its caller. */
final class StructureParser {
  private static final long PAGE_MASK = 0xfff;
  private static final int HIGHEST_KNOWN_TYPE = 6;

  private static final int DRHD_BYTES = 16;
  private static final int RMRR_BYTES = 24;
  private static final int RHSA_BYTES = 20;
  private static final int SHORT_BYTES = 8;

  private static final int FLAGS = 4;
  private static final int SIZE = 5;
  private static final int SEGMENT = 6;
  private static final int DEVICE_NUMBER = 7;
  private static final int BASE = 8;
  private static final int LIMIT = 16;
  private static final int LOWEST_FLAG = 1;
  private static final int WINDOW_ORDER_MASK = 0xf;

  private final long lastAddress;
  private final int hostAddressWidth;
  private final List<String> warnings;

  /**
   * @param hostAddressWidth in bits; no address may lie beyond
   * @param warnings where to say what is odd
   */
  StructureParser(int hostAddressWidth, List<String> warnings) {
    this.lastAddress = (1L << hostAddressWidth) - 1;
    this.hostAddressWidth = hostAddressWidth;
    this.warnings = warnings;
  }

  static boolean isKnown(int type) {
    return type <= HIGHEST_KNOWN_TYPE;
  }

  /** The structure, or empty where it is one that says nothing. */
  Optional<DmarStructure> parse(int type, TableBytes body) {
    return switch (type) {
      case 0 -> Optional.of(drhd(body));
      case 1 -> rmrr(body);
      case 2 -> Optional.of(atsr(body));
      case 3 -> Optional.of(rhsa(body));
      case 4 -> Optional.of(andd(body));
      case 5 -> Optional.of(satc(body));
      case 6 -> Optional.of(sidp(body));
      default -> throw new IllegalStateException("unknown type " + type);
    };
  }

  private Drhd drhd(TableBytes body) {
    body.requireLength("DRHD", DRHD_BYTES);
    int at = body.start();
    warnOfFlags("DRHD", body);
    Drhd drhd =
        new Drhd(
            body.u16(at + SEGMENT),
            body.u64(at + BASE),
            body.u8(at + SIZE) & WINDOW_ORDER_MASK,
            isFlagged(body),
            scopes(body, DRHD_BYTES));
    checkWindow(at, drhd);
    return drhd;
  }

  private void checkWindow(int at, Drhd drhd) {
    String where = TableBytes.at(at);
    long base = drhd.base();
    if (base == 0) {
      throw MalformedInput.at(
          where, "DRHD register base is 0: firmware gave the unit no registers");
    }
    if ((base & PAGE_MASK) != 0) {
      throw MalformedInput.at(where, "DRHD register base 0x%x is not 4 KiB aligned", base);
    }
    if (base < 0 || base > lastAddress || drhd.windowBytes() - 1 > lastAddress - base) {
      throw MalformedInput.at(
          where,
          "DRHD register window of %d bytes at 0x%x lies beyond the host address width of %d bits",
          drhd.windowBytes(),
          base,
          hostAddressWidth);
    }
  }

  private Optional<DmarStructure> rmrr(TableBytes body) {
    body.requireLength("RMRR", RMRR_BYTES);
    int at = body.start();
    Rmrr rmrr =
        new Rmrr(
            body.u16(at + SEGMENT),
            body.u64(at + BASE),
            body.u64(at + LIMIT),
            scopes(body, RMRR_BYTES));
    if (rmrr.base() == 0 && rmrr.limit() == 0) {
      // Real firmware leaves such ones behind for a region that it decided against.
      warnings.add(TableBytes.at(at) + ": RMRR 0x0-0x0 is ignored");
      return Optional.empty();
    }
    checkRegion(at, rmrr);
    return Optional.of(rmrr);
  }

  private void checkRegion(int at, Rmrr rmrr) {
    String where = TableBytes.at(at);
    if (Long.compareUnsigned(rmrr.base(), rmrr.limit()) > 0) {
      throw MalformedInput.at(
          where, "RMRR base 0x%x is above its limit 0x%x", rmrr.base(), rmrr.limit());
    }
    if ((rmrr.base() & PAGE_MASK) != 0 || (rmrr.limit() & PAGE_MASK) != PAGE_MASK) {
      throw MalformedInput.at(
          where, "RMRR 0x%x-0x%x is not 4 KiB aligned", rmrr.base(), rmrr.limit());
    }
    if (Long.compareUnsigned(rmrr.limit(), lastAddress) > 0) {
      throw MalformedInput.at(
          where,
          "RMRR 0x%x-0x%x lies beyond the host address width of %d bits",
          rmrr.base(),
          rmrr.limit(),
          hostAddressWidth);
    }
    if (rmrr.scopes().isEmpty()) {
      warnings.add(where + ": RMRR names no device");
    }
  }

  private Atsr atsr(TableBytes body) {
    body.requireLength("ATSR", SHORT_BYTES);
    warnOfFlags("ATSR", body);
    return new Atsr(body.u16(body.start() + SEGMENT), isFlagged(body), scopes(body, SHORT_BYTES));
  }

  private static Rhsa rhsa(TableBytes body) {
    body.requireLength("RHSA", RHSA_BYTES);
    return new Rhsa(body.u64(body.start() + BASE), body.u32(body.start() + LIMIT));
  }

  private Andd andd(TableBytes body) {
    body.requireLength("ANDD", SHORT_BYTES);
    int name = body.start() + SHORT_BYTES;
    String text = body.text(name, body.end() - name);
    int end = text.indexOf('\0');
    if (end < 0) {
      warnings.add(TableBytes.at(body.start()) + ": ANDD name has no end");
    }
    return new Andd(body.u8(body.start() + DEVICE_NUMBER), end < 0 ? text : text.substring(0, end));
  }

  private Satc satc(TableBytes body) {
    body.requireLength("SATC", SHORT_BYTES);
    warnOfFlags("SATC", body);
    return new Satc(body.u16(body.start() + SEGMENT), isFlagged(body), scopes(body, SHORT_BYTES));
  }

  private Sidp sidp(TableBytes body) {
    body.requireLength("SIDP", SHORT_BYTES);
    return new Sidp(body.u16(body.start() + SEGMENT), scopes(body, SHORT_BYTES));
  }

  private List<DeviceScope> scopes(TableBytes body, int fixedBytes) {
    return ScopeParser.parse(body.part(body.start() + fixedBytes, body.end()), warnings);
  }

  private static boolean isFlagged(TableBytes body) {
    return (body.u8(body.start() + FLAGS) & LOWEST_FLAG) != 0;
  }

  private void warnOfFlags(String what, TableBytes body) {
    int flags = body.u8(body.start() + FLAGS);
    if ((flags & ~LOWEST_FLAG) != 0) {
      warnings.add(
          "%s: %s flags 0x%02x have reserved bits"
              .formatted(TableBytes.at(body.start()), what, flags));
    }
  }
}
