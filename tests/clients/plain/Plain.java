// Java's HttpClient and HttpURLConnection, and a bare socket, against a gateway at BOLTGATE_CLIENT_URL.
//
// Run by run-plain-clients, which says what is tried.

import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

public class Plain {
    static final URI BASE = URI.create(System.getenv("BOLTGATE_CLIENT_URL"));
    static final String PATH = "/db/neo4j/query/v2";
    static final byte[] GOOD = "{\"statement\":\"RETURN 1 AS a\"}".getBytes(StandardCharsets.UTF_8);
    static boolean failed = false;

    interface Action {
        void run() throws Exception;
    }

    interface Client {
        int post(String path, byte[] body, Map<String, String> headers) throws Exception;
    }

    static void check(String name, Action action) {
        try {
            action.run();
            System.out.println("ok - " + name);
        } catch (Exception error) {
            failed = true;
            System.out.println("not ok - " + name + ": " + error);
        }
    }

    static void expect(int expected, int found) {
        if (expected != found) {
            throw new AssertionError("expected " + expected + ", found " + found);
        }
    }

    /** Keeps connections, and asks for HTTP/2 with each first request, as it does by default. */
    static Client httpClient(boolean expectContinue) {
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofMinutes(1)).build();
        return (path, body, headers) -> {
            HttpRequest.Builder request = HttpRequest.newBuilder(BASE.resolve(path))
                    .timeout(Duration.ofMinutes(1))
                    .expectContinue(expectContinue)
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                    .setHeader("Content-Type", "application/json");
            headers.forEach(request::setHeader);
            return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray()).statusCode();
        };
    }

    /** Keeps connections, too. */
    static int byUrlConnection(String path, byte[] body, Map<String, String> headers) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) BASE.resolve(path).toURL().openConnection();
        connection.setReadTimeout(60_000);
        connection.setRequestMethod("POST");
        connection.setRequestProperty("Content-Type", "application/json");
        // Its own default is refused by the gateway.
        connection.setRequestProperty("Accept", "application/json");
        headers.forEach(connection::setRequestProperty);
        connection.setDoOutput(true);
        connection.getOutputStream().write(body);
        int status = connection.getResponseCode();
        try (InputStream answer = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            if (answer != null) {
                answer.readAllBytes();
            }
        }
        return status;
    }

    static void pairs(Client client, int times, int status, String path, byte[] body, Map<String, String> headers)
            throws Exception {
        for (int i = 0; i < times; i++) {
            expect(status, client.post(path, body, headers));
            expect(202, client.post(PATH, GOOD, Map.of()));
        }
    }

    static byte[] spaces(int size) {
        return " ".repeat(size).getBytes(StandardCharsets.UTF_8);
    }

    static void all(String name, Client client) {
        for (int size : new int[] {100, 8_000, 60_000, 3_000_000}) {
            check(name + ": an early 404 to a body of " + size + " bytes",
                    () -> pairs(client, 20, 404, "/nothing", spaces(size), Map.of()));
            check(name + ": an early 400 to a body of " + size + " bytes",
                    () -> pairs(client, 20, 400, PATH, spaces(size), Map.of("Authorization", "Nope")));
        }
        check(name + ": an early 413 to a body of 3000000 bytes",
                () -> pairs(client, 20, 413, PATH, spaces(3_000_000), Map.of()));
        check(name + ": long heads", () -> {
            for (int[] head : new int[][] {{16_400, 202}, {60_000, 202}, {70_000, 431}, {1_000_000, 431}}) {
                pairs(client, 2, head[1], PATH, GOOD, Map.of("X-Padding", "x".repeat(head[0])));
            }
        });
    }

    public static void main(String[] arguments) throws Exception {
        all("java HttpClient", httpClient(false));
        all("java HttpURLConnection", Plain::byUrlConnection);
        // Up to Java 18 it waits for ever when the answer is not 100 (JDK-8286171), whatever the server.
        check("java HttpClient: Expect: 100-continue, taken",
                () -> pairs(httpClient(true), 20, 202, PATH, GOOD, Map.of()));
        check("java Socket: half-closed connections", () -> {
            for (int i = 0; i < 20; i++) {
                try (Socket socket = new Socket(BASE.getHost(), BASE.getPort())) {
                    String head = "POST " + PATH + " HTTP/1.1\r\nHost: " + BASE.getAuthority()
                            + "\r\nContent-Type: application/json\r\nContent-Length: " + GOOD.length + "\r\n\r\n";
                    socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
                    socket.getOutputStream().write(GOOD);
                    socket.shutdownOutput();
                    String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    if (!answer.startsWith("HTTP/1.1 202 ")) {
                        throw new AssertionError(answer);
                    }
                }
            }
        });
        System.exit(failed ? 1 : 0);
    }
}
