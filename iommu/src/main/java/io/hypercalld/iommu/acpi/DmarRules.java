package io.hypercalld.iommu.acpi;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.DmarParser.Placed;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What must hold between the structures of a table. Never instantiated.
 *
 * <p>Everything here is at most sorting, because a table may hold very many structures.
 */
final class DmarRules {
  private DmarRules() {}

  /**
   * @param warnings where to say what is odd
   * @throws MalformedInput where structures contradict each other
   */
  static void check(List<Placed<?>> structures, List<String> warnings) {
    List<Placed<Drhd>> drhds = of(structures, Drhd.class);
    if (drhds.isEmpty()) {
      throw MalformedInput.at(
          TableBytes.at(DmarParser.HEADER_BYTES), "the table describes no remapping unit");
    }
    checkWindows(drhds);
    checkIncludeAll(drhds, warnings);
    warnOfSharedScopes(drhds, warnings);
    checkRegions(of(structures, Rmrr.class));
    warnOfRegionsWithoutUnit(of(structures, Rmrr.class), drhds, warnings);
    checkAllPorts(of(structures, Atsr.class), warnings);
    warnOfStrayAffinity(of(structures, Rhsa.class), drhds, warnings);
    warnOfDuplicateDevices(of(structures, Andd.class), warnings);
  }

  private static <S extends DmarStructure> List<Placed<S>> of(
      List<Placed<?>> structures, Class<S> type) {
    return structures.stream()
        .filter(placed -> type.isInstance(placed.structure()))
        .map(placed -> new Placed<>(placed.offset(), type.cast(placed.structure())))
        .toList();
  }

  private static void checkWindows(List<Placed<Drhd>> drhds) {
    List<Placed<Drhd>> sorted =
        drhds.stream()
            .sorted(
                Comparator.<Placed<Drhd>>comparingLong(placed -> placed.structure().base())
                    .thenComparing(Placed::offset))
            .toList();
    for (int next = 1; next < sorted.size(); next++) {
      Placed<Drhd> lower = sorted.get(next - 1);
      Placed<Drhd> upper = sorted.get(next);
      if (upper.structure().base() - lower.structure().base() < lower.structure().windowBytes()) {
        throw MalformedInput.at(
            TableBytes.at(Math.max(lower.offset(), upper.offset())),
            "DRHD registers at 0x%x overlap those at 0x%x of the DRHD at 0x%x",
            (lower.offset() > upper.offset() ? lower : upper).structure().base(),
            (lower.offset() > upper.offset() ? upper : lower).structure().base(),
            Math.min(lower.offset(), upper.offset()));
      }
    }
  }

  private static void checkIncludeAll(List<Placed<Drhd>> drhds, List<String> warnings) {
    Map<Integer, Integer> includeAllOffsets = new HashMap<>();
    Set<Integer> warned = new HashSet<>();
    for (Placed<Drhd> placed : drhds) {
      int segment = placed.structure().segment();
      Integer earlier = includeAllOffsets.get(segment);
      if (earlier != null && placed.structure().includeAll()) {
        throw MalformedInput.at(
            TableBytes.at(placed.offset()),
            "second INCLUDE_PCI_ALL unit of segment %d; the first is at 0x%x",
            segment,
            earlier);
      }
      if (earlier != null && warned.add(segment)) {
        warnings.add(
            "%s: INCLUDE_PCI_ALL unit is not the last of segment %d"
                .formatted(TableBytes.at(earlier), segment));
      }
      if (placed.structure().includeAll()) {
        includeAllOffsets.put(segment, placed.offset());
      }
    }
    drhds.stream()
        .map(placed -> placed.structure().segment())
        .distinct()
        .filter(segment -> !includeAllOffsets.containsKey(segment))
        .forEach(
            segment -> warnings.add("segment %d has no INCLUDE_PCI_ALL unit".formatted(segment)));
  }

  private static void warnOfSharedScopes(List<Placed<Drhd>> drhds, List<String> warnings) {
    record Named(int segment, DeviceScope.Type type, String path) {}
    Map<Named, Integer> firstOffsets = new HashMap<>();
    for (Placed<Drhd> placed : drhds) {
      for (DeviceScope scope : placed.structure().scopes()) {
        Integer earlier =
            firstOffsets.putIfAbsent(
                new Named(placed.structure().segment(), scope.type(), scope.pathText()),
                placed.offset());
        if (earlier != null && earlier != placed.offset()) {
          warnings.add(
              "%s: %s is claimed by the DRHD at 0x%x already, which keeps it"
                  .formatted(TableBytes.at(placed.offset()), scope.pathText(), earlier));
        }
      }
    }
  }

  private static void checkRegions(List<Placed<Rmrr>> rmrrs) {
    List<Placed<Rmrr>> sorted =
        rmrrs.stream()
            .sorted(
                Comparator.<Placed<Rmrr>>comparingLong(placed -> placed.structure().base())
                    .thenComparing(Placed::offset))
            .toList();
    for (int next = 1; next < sorted.size(); next++) {
      Rmrr lower = sorted.get(next - 1).structure();
      Rmrr upper = sorted.get(next).structure();
      if (upper.base() <= lower.limit()) {
        throw MalformedInput.at(
            TableBytes.at(Math.max(sorted.get(next).offset(), sorted.get(next - 1).offset())),
            "RMRR 0x%x-0x%x and RMRR 0x%x-0x%x overlap",
            lower.base(),
            lower.limit(),
            upper.base(),
            upper.limit());
      }
    }
  }

  private static void warnOfRegionsWithoutUnit(
      List<Placed<Rmrr>> rmrrs, List<Placed<Drhd>> drhds, List<String> warnings) {
    Set<Integer> segments = new HashSet<>();
    drhds.forEach(placed -> segments.add(placed.structure().segment()));
    rmrrs.stream()
        .filter(placed -> !segments.contains(placed.structure().segment()))
        .forEach(
            placed ->
                warnings.add(
                    "%s: RMRR is in segment %d, which has no unit"
                        .formatted(TableBytes.at(placed.offset()), placed.structure().segment())));
  }

  private static void checkAllPorts(List<Placed<Atsr>> atsrs, List<String> warnings) {
    Set<Integer> segments = new HashSet<>();
    for (Placed<Atsr> placed : atsrs) {
      Atsr atsr = placed.structure();
      if (atsr.allPorts() && !segments.add(atsr.segment())) {
        throw MalformedInput.at(
            TableBytes.at(placed.offset()),
            "second ATSR with ALL_PORTS of segment %d",
            atsr.segment());
      }
      if (atsr.allPorts() && !atsr.scopes().isEmpty()) {
        warnings.add(
            TableBytes.at(placed.offset()) + ": ATSR with ALL_PORTS names ports nevertheless");
      }
    }
  }

  private static void warnOfStrayAffinity(
      List<Placed<Rhsa>> rhsas, List<Placed<Drhd>> drhds, List<String> warnings) {
    Set<Long> bases = new HashSet<>();
    drhds.forEach(placed -> bases.add(placed.structure().base()));
    rhsas.stream()
        .filter(placed -> !bases.contains(placed.structure().base()))
        .forEach(
            placed ->
                warnings.add(
                    "%s: RHSA speaks of registers at 0x%x, where no unit is"
                        .formatted(TableBytes.at(placed.offset()), placed.structure().base())));
  }

  private static void warnOfDuplicateDevices(List<Placed<Andd>> andds, List<String> warnings) {
    Set<Integer> numbers = new HashSet<>();
    andds.stream()
        .filter(placed -> !numbers.add(placed.structure().deviceNumber()))
        .forEach(
            placed ->
                warnings.add(
                    "%s: second ANDD with device number %d"
                        .formatted(
                            TableBytes.at(placed.offset()), placed.structure().deviceNumber())));
  }
}
