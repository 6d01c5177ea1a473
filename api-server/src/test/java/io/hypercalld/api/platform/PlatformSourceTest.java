package io.hypercalld.api.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.platform.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlatformSourceTest {
  @TempDir private Path directory = Path.of(".");

  private static Path platforms() {
    Optional<Path> found =
        Stream.concat(
                Stream.ofNullable(System.getProperty("hypercalld.shared")),
                Stream.of("shared", "../shared", "../../shared", "../../../shared"))
            .map(shared -> Path.of(shared, "platforms"))
            .filter(Files::isDirectory)
            .findFirst();
    Assumptions.assumeTrue(found.isPresent(), "no shared/platforms beside the project");
    return found.orElseThrow();
  }

  @Test
  void load_file_isTheSameAsTheEmbeddedText() throws IOException {
    Path file = directory.resolve("machine.yaml");
    Files.writeString(file, EmbeddedPlatforms.find("two-socket").orElseThrow());

    Platform platform = PlatformSource.named(file.toString()).load().platform();

    assertThat(platform).isEqualTo(PlatformSource.named("two-socket").load().platform());
  }

  @Test
  void load_unknownName_suggestsTheNearest() {
    assertRefused(
        () -> PlatformSource.named("two-sockets").load(),
        "platform two-sockets: there is no such platform and no such file, did you mean two-socket?");
  }

  @Test
  void load_unreadableFile_namesIt() throws IOException {
    Path missing = directory.resolve("missing.yaml");
    Path latin = directory.resolve("latin.yaml");
    Files.write(latin, new byte[] {'n', (byte) 0xe4});

    assertRefused(() -> PlatformSource.named(missing.toString()).load(), missing + ": there is no");
    assertRefused(
        () -> PlatformSource.named(directory + "/").load(), directory + ": this is a directory");
    assertRefused(
        () -> PlatformSource.named(latin.toString()).load(), latin + ": the text is not UTF-8");
    assertRefused(
        () -> PlatformSource.firmware(missing, Optional.empty()).load(), missing + ": there is no");
  }

  @Test
  void load_mistakeInAFile_namesFileLineAndKey() throws IOException {
    Path file = directory.resolve("machine.yaml");
    Files.writeString(
        file, EmbeddedPlatforms.find("two-socket").orElseThrow().replace("units:", "unit:"));

    assertRefused(
        () -> PlatformSource.named(file.toString()).load(),
        file + ": line 12, the document: unknown key unit, did you mean units?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"dell-r820", "framework-13-mtl", "hp-dl380e-g8", "quanta-x10e-9n"})
  void load_realMachine_boots(String name) {
    Path machine = platforms().resolve(name);

    PlatformSource.LoadedPlatform loaded =
        PlatformSource.firmware(
                machine.resolve("dmar.bin"), Optional.of(machine.resolve("lspci.txt")))
            .load();

    assertThat(loaded.warnings()).isEmpty();
    assertThat(loaded.platform().name()).isNotBlank();
    assertThat(loaded.platform().memory().bytes()).isEqualTo(64L << 30);
  }

  @Test
  void load_malformedTable_namesFileOffsetAndReason() {
    Path table = platforms().resolve("malformed/20-drhd-too-short.bin");

    assertRefused(
        () -> PlatformSource.firmware(table, Optional.empty()).load(),
        table + ": offset 0x30: DRHD of 12 bytes is shorter than 16");
  }

  @Test
  void load_oddTable_warnsNamingTheFile() {
    Path table = platforms().resolve("malformed/66-revision-0.bin");

    assertThat(PlatformSource.firmware(table, Optional.empty()).load().warnings())
        .containsExactly(table + ": offset 0x8: the revision is 0");
  }

  @Test
  void load_foreignListing_namesFileAndLine() {
    Path table = platforms().resolve("dell-r820/dmar.bin");
    Path listing = platforms().resolve("INDEX.md");

    assertRefused(
        () -> PlatformSource.firmware(table, Optional.of(listing)).load(),
        listing + ": line 1: not a line of lspci: # Platforms: DMAR tables");
  }

  private static void assertRefused(ThrowingCallable action, String message) {
    assertThatThrownBy(action)
        .isInstanceOf(MalformedInput.class)
        .hasMessageStartingWith(message)
        .hasMessageNotContaining("\n");
  }
}
