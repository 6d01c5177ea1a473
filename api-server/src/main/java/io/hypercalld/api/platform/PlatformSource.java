package io.hypercalld.api.platform;

import io.hypercalld.api.json.Spelling;
import io.hypercalld.api.machine.ChoosePolicies;
import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.DmarParser;
import io.hypercalld.iommu.acpi.DmarTable;
import io.hypercalld.iommu.pci.LspciListing;
import io.hypercalld.iommu.pci.PciFunction;
import io.hypercalld.iommu.platform.Platform;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where a machine comes from. Immutable. */
public sealed interface PlatformSource {
  /**
   * The machine.
   *
   * @throws MalformedInput where the source cannot be read, is not understood or contradicts
   *     itself: one line that names the source, the place and the reason
   */
  LoadedPlatform load();

  /**
   * A machine. Immutable.
   *
   * @param warnings what is odd about its source, one line each
   * @param policies what its source chooses
   */
  record LoadedPlatform(Platform platform, List<String> warnings, ChoosePolicies policies) {
    public LoadedPlatform {
      warnings = List.copyOf(warnings);
    }

    /**
     * The same machine with another amount of memory.
     *
     * @throws MalformedInput where it is too little or too much
     */
    public LoadedPlatform withMemory(long bytes) {
      return new LoadedPlatform(platform.withMemory(bytes), warnings, policies);
    }
  }

  /** One of the platforms that come with the program. */
  record Embedded(String name) implements PlatformSource {
    @Override
    public LoadedPlatform load() {
      String text =
          EmbeddedPlatforms.find(name)
              .orElseThrow(
                  () ->
                      MalformedInput.at(
                          "platform " + name,
                          "there is no such platform and no such file%s",
                          Spelling.hint(name, EmbeddedPlatforms.names())));
      return SourceFile.naming("platform " + name, () -> PlatformReader.read(text));
    }
  }

  /** A YAML file. */
  record Described(Path file) implements PlatformSource {
    @Override
    public LoadedPlatform load() {
      String text = SourceFile.text(file);
      return SourceFile.naming(file.toString(), () -> PlatformReader.read(text));
    }
  }

  /** A machine's ACPI DMAR table and what lspci prints on it. */
  record Firmware(Path dmar, Optional<Path> lspci) implements PlatformSource {
    @Override
    public LoadedPlatform load() {
      byte[] bytes = SourceFile.bytes(dmar);
      DmarTable table = SourceFile.naming(dmar.toString(), () -> DmarParser.parse(bytes));
      List<PciFunction> functions = lspci.map(Firmware::functions).orElse(List.of());
      String sources = lspci.map(file -> dmar + " and " + file).orElse(dmar.toString());
      return new LoadedPlatform(
          SourceFile.naming(sources, () -> Platform.fromFirmware(table, functions)),
          table.warnings().stream().map(warning -> dmar + ": " + warning).toList(),
          ChoosePolicies.NONE);
    }

    private static List<PciFunction> functions(Path file) {
      String text = new String(SourceFile.bytes(file), StandardCharsets.UTF_8);
      return SourceFile.naming(file.toString(), () -> LspciListing.parse(text));
    }
  }

  /** What {@code --platform} means: the name of an embedded platform, or else a file. */
  static PlatformSource named(String nameOrFile) {
    boolean isFile =
        nameOrFile.contains("/")
            || nameOrFile.endsWith(".yaml")
            || nameOrFile.endsWith(".yml")
            || nameOrFile.endsWith(".json");
    return isFile ? new Described(Path.of(nameOrFile)) : new Embedded(nameOrFile);
  }

  /** What {@code --dmar} and {@code --lspci} mean. */
  static PlatformSource firmware(Path dmar, Optional<Path> lspci) {
    return new Firmware(dmar, lspci);
  }
}
