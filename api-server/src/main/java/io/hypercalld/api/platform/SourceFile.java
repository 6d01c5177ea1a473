package io.hypercalld.api.platform;

import io.hypercalld.core.errno.MalformedInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Files that describe machines. Never instantiated. */
final class SourceFile {
  private static final int MOST_BYTES = 16 << 20;

  private SourceFile() {}

  /**
   * The bytes of a file.
   *
   * @throws MalformedInput where it cannot be read or is larger than any that is meant
   */
  static byte[] bytes(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw MalformedInput.at(file.toString(), "the file has more than %d bytes", MOST_BYTES);
      }
      return bytes;
    } catch (NoSuchFileException e) {
      throw MalformedInput.at(file.toString(), "there is no such file");
    } catch (AccessDeniedException e) {
      throw MalformedInput.at(file.toString(), "the file may not be read");
    } catch (IOException e) {
      throw MalformedInput.at(
          file.toString(),
          Files.isDirectory(file) ? "this is a directory" : "the file cannot be read");
    }
  }

  /**
   * The text of a file.
   *
   * @throws MalformedInput also where it is not UTF-8
   */
  static String text(Path file) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(file))).toString();
    } catch (CharacterCodingException e) {
      throw MalformedInput.at(file.toString(), "the text is not UTF-8");
    }
  }

  /** What is read, where complaints begin with the name of the source. */
  static <T> T naming(String source, Supplier<T> reader) {
    try {
      return reader.get();
    } catch (MalformedInput wrong) {
      throw MalformedInput.at(source, "%s", wrong.reason());
    }
  }
}
