// mongo-wire speaks MongoDB's wire protocol on SQLite files, for tests on machines where no mongod can be had.
//
// It is FerretDB v1's embeddable package and nothing more. (FerretDB's own command cannot be installed with
// `go install`: outside its repository it panics on a missing version file.) It takes mongod's --bind_ip, --port and
// --dbpath, so that it can stand in mongod's place, and refuses any other flag rather than guess at its meaning.
//
// Not for production: every read scans its collection; no transactions, change streams, replica sets or users.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	bind := flag.String("bind_ip", "127.0.0.1", "the address to listen on")
	port := flag.String("port", "27017", "the TCP port to listen on")
	folder := flag.String("dbpath", "data", "the folder of the SQLite files")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := serve(net.JoinHostPort(*bind, *port), *folder); err != nil {
		log.Fatal(err)
	}
}

// serve runs until SIGINT or SIGTERM.
func serve(address, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	// FerretDB logs every request at its info level.
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: address},
		Handler:   "sqlite",
		SQLiteURL: "file:" + filepath.ToSlash(folder) + "/",
	})
	if err != nil {
		return fmt.Errorf("configure FerretDB: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(os.Stderr, "mongo-wire: listening on %s, data in %s\n", address, folder)
	return server.Run(ctx)
}
