package io.hypercalld.api;

import io.hypercalld.api.cli.InvalidSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The token that callers must present. Immutable. */
final class Tokens {
  private static final int SHORTEST = 16;

  private Tokens() {}

  /**
   * The token in a file, without the line end.
   *
   * @throws InvalidSetting where there is none that could keep anybody out
   */
  static Optional<String> read(Optional<Path> file) {
    return file.map(Tokens::read);
  }

  private static String read(Path file) {
    String token;
    try {
      token = Files.readString(file).strip();
    } catch (IOException e) {
      throw InvalidSetting.of("--token-file: %s cannot be read", file);
    }
    if (token.length() < SHORTEST || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw InvalidSetting.of(
          "--token-file: %s holds no token of at least %d visible characters", file, SHORTEST);
    }
    return token;
  }
}
