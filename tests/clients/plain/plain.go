// Go's net/http and a bare connection, against a gateway at BOLTGATE_CLIENT_URL.
//
// Run by run-plain-clients, which says what is tried.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const path = "/db/neo4j/query/v2"

var (
	url    = os.Getenv("BOLTGATE_CLIENT_URL")
	host   = strings.TrimPrefix(url, "http://")
	good   = []byte(`{"statement":"RETURN 1 AS a"}`)
	failed = false
)

func check(name string, action func() error) {
	if err := action(); err != nil {
		failed = true
		fmt.Printf("not ok - go net/http: %s: %v\n", name, err)
		return
	}
	fmt.Printf("ok - go net/http: %s\n", name)
}

func post(client *http.Client, path string, body []byte, headers map[string]string) (int, error) {
	request, err := http.NewRequest("POST", url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	// What a client may try again by itself is not what is tried here.
	request.GetBody = nil
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func expect(client *http.Client, status int, path string, body []byte, headers map[string]string) error {
	found, err := post(client, path, body, headers)
	if err == nil && found != status {
		err = fmt.Errorf("expected %d, found %d", status, found)
	}
	return err
}

// pairs sends a request with that status and a good one, times over, through one client.
func pairs(times int, status int, path string, body []byte, headers map[string]string) error {
	client := &http.Client{Timeout: time.Minute, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	for i := 0; i < times; i++ {
		if err := expect(client, status, path, body, headers); err != nil {
			return fmt.Errorf("%d, refused: %w", i, err)
		}
		if err := expect(client, 202, "/db/neo4j/query/v2", good, nil); err != nil {
			return fmt.Errorf("%d, good: %w", i, err)
		}
	}
	return nil
}

func halfClosed(request string) (string, error) {
	connection, err := net.Dial("tcp", host)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if _, err = connection.Write([]byte(request)); err != nil {
		return "", err
	}
	if err = connection.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	return string(answer), err
}

func main() {
	nope := map[string]string{"Authorization": "Nope"}
	for _, size := range []int{100, 8_000, 60_000, 3_000_000} {
		body := bytes.Repeat([]byte(" "), size)
		check(fmt.Sprintf("an early 404 to a body of %d bytes", size), func() error {
			return pairs(20, 404, "/nothing", body, nil)
		})
		check(fmt.Sprintf("an early 400 to a body of %d bytes", size), func() error {
			return pairs(20, 400, path, body, nope)
		})
	}
	check("an early 413 to a body of 3000000 bytes", func() error {
		return pairs(20, 413, path, bytes.Repeat([]byte(" "), 3_000_000), nil)
	})
	check("Expect: 100-continue", func() error {
		for _, headers := range []map[string]string{
			{"Expect": "100-continue", "Content-Type": "text/plain"},
			{"Expect": "100-continue", "Authorization": "Nope"},
		} {
			status := map[bool]int{true: 400, false: 415}[headers["Authorization"] != ""]
			if err := pairs(20, status, path, good, headers); err != nil {
				return err
			}
		}
		return pairs(20, 202, path, good, map[string]string{"Expect": "100-continue"})
	})
	check("long heads", func() error {
		for size, status := range map[int]int{16_400: 202, 60_000: 202, 70_000: 431, 1_000_000: 431} {
			if err := pairs(2, status, path, good, map[string]string{"X-Padding": strings.Repeat("x", size)}); err != nil {
				return fmt.Errorf("%d bytes: %w", size, err)
			}
		}
		return nil
	})
	check("half-closed connections", func() error {
		for i := 0; i < 20; i++ {
			request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				path, host, len(good), good)
			answer, err := halfClosed(request)
			if err != nil || !strings.HasPrefix(answer, "HTTP/1.1 202 ") {
				return fmt.Errorf("%q, %w", answer, err)
			}
		}
		return nil
	})
	if failed {
		os.Exit(1)
	}
}
