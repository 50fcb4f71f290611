// Prints a token for a user. The module github.com/golang-jwt/jwt/v5 does the same.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func encode(part []byte) string {
	return base64.RawURLEncoding.EncodeToString(part)
}

func parleyToken(userID, name, email string) string {
	claims, _ := json.Marshal(map[string]any{
		"sub": userID, "name": name, "email": email, "exp": time.Now().Unix() + 3600,
	})
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(os.Getenv("CHAT_IDENTITY_SECRET")))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

func main() {
	fmt.Print(parleyToken(os.Args[1], os.Args[2], os.Args[3]))
}
