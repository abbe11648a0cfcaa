// The tus server of the protocol's authors, tusd, with files below STORE. Arguments: PORT STORE.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/tus/tusd/v2/pkg/filelocker"
	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
)

func main() {
	port, store := os.Args[1], os.Args[2]
	composer := handler.NewStoreComposer()
	filestore.New(store).UseIn(composer)
	filelocker.New(store).UseIn(composer)
	uploads, err := handler.NewHandler(handler.Config{BasePath: "/files/", StoreComposer: composer, RespectForwardedHeaders: true})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/files/", http.StripPrefix("/files/", uploads))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
